package io.lladav.cli.conformance;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.internal.debug.v1.DebugServiceGrpc;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerationServiceGrpc;
import java.util.Optional;

/// Asks by requests of their own: through the debugging service, or, where that is off, through the public API.
final class GenerateRoute implements Route {
  private final Channel channel;
  private boolean debugging = true;

  GenerateRoute(Channel channel) {
    this.channel = channel;
  }

  @Override
  public ReplayedReply ask(ReplayRequest request) {
    if (debugging) {
      try {
        return throughDebugging(request);
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.UNIMPLEMENTED) {
          throw e;
        }
        debugging = false;
      }
    }
    return throughGenerate(request.getRequest());
  }

  @Override
  public Optional<String> obstacle(GoldenRequest request) {
    return request.isRandom() && !debugging
        ? Optional.of("random order without the debugging service")
        : Optional.empty();
  }

  private ReplayedReply throughDebugging(ReplayRequest request) {
    var collector = new ReplayedReply.Collector();
    DebugServiceGrpc.newBlockingStub(channel).withDeadlineAfter(REPLY_TIME_MAX).replay(request)
        .forEachRemaining(collector::add);
    return collector.collect();
  }

  private ReplayedReply throughGenerate(GenerateRequest request) {
    var collector = new ReplayedReply.Collector();
    GenerationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(REPLY_TIME_MAX).generate(request)
        .forEachRemaining(collector::add);
    return collector.collect();
  }
}
