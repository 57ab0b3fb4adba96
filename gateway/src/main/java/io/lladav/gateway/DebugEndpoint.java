package io.lladav.gateway;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.decoding.CounterRandom;
import io.lladav.decoding.RandomNumbers;
import io.lladav.internal.debug.v1.DebugServiceGrpc.DebugServiceImplBase;
import io.lladav.internal.debug.v1.PromptDetail;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.internal.debug.v1.ReplayResponse;
import io.lladav.internal.debug.v1.TokenSequence;
import io.lladav.internal.debug.v1.VisualDetail;
import io.lladav.model.prompt.Prompt;
import io.lladav.runtime.Handlers;
import io.lladav.v1.ModelIdentity;
import java.util.List;
import java.util.stream.IntStream;

/// The debugging service on the wire: a generation with recorded random numbers, told in more detail.
final class DebugEndpoint extends DebugServiceImplBase {
  private final Admission admission;
  private final RequestParser parser;
  private final Generator generator;
  private final ModelIdentity identity;

  DebugEndpoint(Admission admission, RequestParser parser, Generator generator, ModelIdentity identity) {
    this.admission = admission;
    this.parser = parser;
    this.generator = generator;
    this.identity = identity;
  }

  @Override
  public void replay(ReplayRequest wire, StreamObserver<ReplayResponse> responses) {
    Handlers.run(responses, () -> {
      var call = (ServerCallStreamObserver<ReplayResponse>) responses;
      admission.requireRoom(1, wire.getSerializedSize());
      var request = parser.parse(wire.getRequest());
      try (var _ = admission.enter(1, wire.getSerializedSize())) {
        var events = new EventWriter(request, identity, 0, call::isReady,
            event -> responses.onNext(ReplayResponse.newBuilder().setEvent(event).build()));
        generator.run(request, numbers(wire, request), event -> {
          detail(event, request, responses);
          events.write(event);
        });
      }
      responses.onCompleted();
    });
  }

  private static RandomNumbers numbers(ReplayRequest wire, GenerationRequest request) {
    var drawn = new CounterRandom(request.decoding().sampling().seed());
    return wire.getOrderNumbersCount() == 0
        ? drawn
        : RecordedOrder.of(wire.getOrderNumbersList(), drawn);
  }

  private static void detail(GenerationEvent event, GenerationRequest request,
      StreamObserver<ReplayResponse> responses) {
    switch (event) {
      case GenerationEvent.PromptBuilt(var prompt) -> responses.onNext(
          ReplayResponse.newBuilder().setPrompt(prompt(prompt, request)).build());
      case GenerationEvent.VisualEncoded(int visual, var digests) -> responses.onNext(
          ReplayResponse.newBuilder().setVisual(visual(visual, digests)).build());
      case GenerationEvent.Started _,GenerationEvent.Stepped _,GenerationEvent.Grown _,GenerationEvent.Finished _ -> {
        // Public events need no more detail.
      }
    }
  }

  private static PromptDetail prompt(Prompt prompt, GenerationRequest request) {
    var detail = PromptDetail.newBuilder()
        .setText(prompt.text())
        .addAllInputIds(IntStream.of(prompt.inputIds()).boxed().toList())
        .addAllSuffixIds(IntStream.of(request.decoding().suffix()).boxed().toList());
    request.decoding().stops().forEach(stop -> detail.addStops(
        TokenSequence.newBuilder().addAllIds(IntStream.of(stop).boxed().toList())));
    return detail.build();
  }

  private static VisualDetail visual(int index, List<byte[]> tileDigests) {
    var detail = VisualDetail.newBuilder().setIndex(index);
    tileDigests.forEach(digest -> detail.addTileDigests(UnsafeByteOperations.unsafeWrap(digest)));
    return detail.build();
  }
}
