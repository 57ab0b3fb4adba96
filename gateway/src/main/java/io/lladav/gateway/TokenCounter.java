package io.lladav.gateway;

import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.v1.CountTokensRequest;
import io.lladav.v1.CountTokensResponse;
import io.lladav.v1.GenerateRequest;

/// Says what a request would take on the canvas, without running the model.
final class TokenCounter {
  private final RequestParser parser;
  private final ServedModel served;
  private final int canvasPositionsMax;

  /// @param canvasPositionsMax positions that every denoiser's canvas may have
  TokenCounter(RequestParser parser, ServedModel served, int canvasPositionsMax) {
    this.parser = parser;
    this.served = served;
    this.canvasPositionsMax = canvasPositionsMax;
  }

  /// Counts.
  ///
  /// @throws InvalidRequest naming the field that cannot be used
  /// @throws io.lladav.runtime.ServiceException.LimitExceeded for every limit but those on positions
  CountTokensResponse count(CountTokensRequest wire) {
    parser.refuseUnknownFields(wire);
    var request = parser.parse(GenerateRequest.newBuilder().addAllMessages(wire.getMessagesList())
        .setDecoding(wire.getDecoding()).build());
    var plan = served.plan(request);
    int reply = request.decoding().genLength();
    int suffix = request.decoding().suffix().length;
    var response = CountTokensResponse.newBuilder()
        .setTextTokens(plan.promptPositions() - plan.visualPositions())
        .setVisualTokens(plan.visualPositions())
        .setGenLength(reply)
        .setSuffixTokens(suffix)
        .setCanvasPositionsMax(canvasPositionsMax)
        .setFits(plan.promptPositions() <= served.promptPositionsMax()
            && plan.promptPositions() + reply + suffix <= canvasPositionsMax);
    for (int i = 0; i < plan.plans().size(); i++) {
      response.addVisuals(EventWriter.visual(request.visuals().get(i), plan.plans().get(i)));
    }
    return response.build();
  }
}
