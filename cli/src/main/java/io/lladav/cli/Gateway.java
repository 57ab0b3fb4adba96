package io.lladav.cli;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import io.lladav.cli.chat.HeldDialogue;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.GetModelRequest;
import io.lladav.v1.ModelIdentity;
import io.lladav.v1.NewConversation;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// A client of a running gateway.
final class Gateway implements AutoCloseable {
  private static final int MESSAGE_BYTES_MAX = 256 << 20;
  private static final Duration REPLY_TIME_MAX = Duration.ofMinutes(30);
  private static final Duration MODEL_TIME_MAX = Duration.ofMinutes(1);
  private static final int CLOSE_SECONDS = 5;

  private final ManagedChannel channel;

  private Gateway(ManagedChannel channel) {
    this.channel = channel;
  }

  /// Connects to a gateway when the first call is made.
  ///
  /// @param target host and port, for example `localhost:7400`
  static Gateway at(String target) {
    return new Gateway(ManagedChannelBuilder.forTarget(target).usePlaintext()
        .maxInboundMessageSize(MESSAGE_BYTES_MAX).build());
  }

  /// Asks for one reply and shows it.
  ///
  /// @throws StatusRuntimeException as the gateway refuses or fails
  void ask(GenerateRequest request, ReplyView view) {
    try {
      GenerationServiceGrpc.newBlockingStub(channel).generate(request).forEachRemaining(view::show);
    } catch (StatusRuntimeException e) {
      view.interrupted();
      throw e;
    }
  }

  /// Asks for one reply and returns its last event.
  ///
  /// @throws StatusRuntimeException as the gateway refuses or fails, or when the reply takes half an hour
  Finished reply(GenerateRequest request) {
    var last = Finished.getDefaultInstance();
    var events = GenerationServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(REPLY_TIME_MAX).generate(request);
    while (events.hasNext()) {
      last = events.next().getFinished();
    }
    return last;
  }

  /// What it serves.
  ///
  /// @throws StatusRuntimeException if nobody answers there
  ModelIdentity model() {
    return GenerationServiceGrpc.newBlockingStub(channel).withDeadlineAfter(MODEL_TIME_MAX)
        .getModel(GetModelRequest.getDefaultInstance()).getIdentity();
  }

  /// A dialogue that it holds; begun with the first question.
  HeldDialogue begin(NewConversation conversation) {
    return new HeldDialogue(channel, conversation);
  }

  @Override
  public void close() {
    try {
      channel.shutdownNow().awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
