package io.lladav.gateway;

import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.BlockingClientCall;
import io.lladav.internal.debug.v1.DebugServiceGrpc;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.internal.debug.v1.ReplayResponse;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateRequestOrBuilder;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A client of the gateway as anybody could write one.
record Client(ManagedChannel channel) implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 60;

  /// Connects to the gateway at a port of this machine.
  static Client of(int port) {
    return new Client(NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build());
  }

  /// Asks and waits for the whole reply.
  Reply generate(GenerateRequestOrBuilder request) throws StatusException, InterruptedException {
    return new Reply(readAll(open(request)));
  }

  /// Asks; the caller reads the events.
  BlockingClientCall<?, GenerateResponse> open(GenerateRequestOrBuilder request) {
    return GenerationServiceGrpc.newBlockingV2Stub(channel)
        .withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS)
        .generate(built(request));
  }

  /// Asks and expects to be refused.
  Failure refused(GenerateRequestOrBuilder request) throws InterruptedException {
    try {
      var reply = generate(request);
      throw new AssertionError("accepted: " + reply.events());
    } catch (StatusException e) {
      return Failure.of(e);
    }
  }

  /// Runs a request through the debugging service.
  List<ReplayResponse> replay(ReplayRequest request) throws StatusException, InterruptedException {
    return readAll(DebugServiceGrpc.newBlockingV2Stub(channel)
        .withDeadlineAfter(PATIENCE_SECONDS, TimeUnit.SECONDS)
        .replay(request));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  static GenerateRequest built(GenerateRequestOrBuilder request) {
    return switch (request) {
      case GenerateRequest message -> message;
      case GenerateRequest.Builder builder -> builder.build();
      default -> throw new IllegalArgumentException("neither request nor builder");
    };
  }

  private static <R> List<R> readAll(BlockingClientCall<?, R> call)
      throws StatusException, InterruptedException {
    var events = new ArrayList<R>();
    for (R event = call.read(); event != null; event = call.read()) {
      events.add(event);
    }
    return events;
  }
}
