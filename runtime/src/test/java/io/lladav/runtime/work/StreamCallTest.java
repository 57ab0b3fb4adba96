package io.lladav.runtime.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.lladav.runtime.ServiceException.Unavailable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A call between a client that reads when it is told to and a conversation that a test chooses.
@Timeout(60)
final class StreamCallTest {
  private static final MethodDescriptor<StringValue, StringValue> METHOD = MethodDescriptor
      .<StringValue, StringValue>newBuilder(ProtoUtils.marshaller(StringValue.getDefaultInstance()),
          ProtoUtils.marshaller(StringValue.getDefaultInstance()))
      .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
      .setFullMethodName("lladav.testing.Streams/Talk")
      .build();
  private static final int WINDOW_BYTES = 1 << 16;
  // More than the network and gRPC hold for a client that does not read.
  private static final String LARGE = "x".repeat(1 << 20);

  private final BlockingQueue<StreamCall<StringValue, StringValue>> calls = new LinkedBlockingQueue<>();
  // Requests that calls have got, whether they were read or not.
  private final BlockingQueue<StringValue> arrived = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> opened = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (var each : opened.reversed()) {
      each.close();
    }
  }

  @Test
  void endOfReadingWakesWhoWaitsForARequest() throws Exception {
    var talker = talk(Duration.ofMinutes(1), call -> {
      call.write(message("waiting"));
      assertThatExceptionOfType(Unavailable.class).isThrownBy(call::read).withMessage("leave");
      call.write(message("responses can still be sent"));
    });
    talker.readOn(1);
    assertThat(talker.next()).isEqualTo("waiting");
    calls.take().endReading(new Unavailable(Duration.ZERO, "leave"));
    talker.readOn(9);

    assertThat(talker.next()).isEqualTo("responses can still be sent");
    assertThat(talker.ended.get()).isEqualTo("completed");
  }

  @Test
  void everyReadFailsWithTheFirstReasonThoughRequestsHaveCome() throws Exception {
    var goOn = new CountDownLatch(1);
    var talker = talk(Duration.ofMinutes(1), call -> {
      goOn.await();
      call.endReading(new Unavailable(Duration.ZERO, "first"));
      call.endReading(new Unavailable(Duration.ZERO, "second"));
      for (int i = 0; i < 2; i++) {
        assertThatExceptionOfType(Unavailable.class).isThrownBy(call::read).withMessage("first");
      }
    });
    talker.requests.onNext(message("anybody there?"));
    arrived.take();
    goOn.countDown();

    assertThat(talker.ended.get()).isEqualTo("completed");
  }

  @Test
  void waitsUntilThePeerTakesWhatCameBefore() throws Exception {
    var full = new CompletableFuture<Boolean>();
    var talker = talk(Duration.ofMinutes(1), call -> {
      call.writeNow(message(LARGE));
      full.complete(call.isReady());
      call.awaitReady();
      call.writeNow(message("ready: " + call.isReady()));
    });
    assertThat(full.get()).isFalse();
    talker.readOn(1);
    assertThat(talker.next()).isEqualTo(LARGE);
    talker.readOn(1);

    assertThat(talker.next()).isEqualTo("ready: true");
    assertThat(talker.ended.get()).isEqualTo("completed");
  }

  @Test
  void doesNotWaitForAPeerThatTakesEverything() throws Exception {
    var talker = talk(Duration.ofMinutes(1), call -> {
      call.awaitReady();
      call.writeNow(message("at once"));
    });
    talker.readOn(1);

    assertThat(talker.next()).isEqualTo("at once");
  }

  @Test
  void givesUpOnAPeerThatTakesNothing() throws Exception {
    var failure = new CompletableFuture<Throwable>();
    talk(Duration.ofMillis(100), call -> {
      call.writeNow(message(LARGE));
      assertThatExceptionOfType(TimeoutException.class).isThrownBy(call::awaitReady)
          .satisfies(failure::complete);
    });

    assertThat(failure.get()).hasMessage("the peer was silent for PT0.1S");
  }

  @Test
  void stopsWaitingForAPeerThatGoes() throws Exception {
    var full = new CompletableFuture<Boolean>();
    var failure = new CompletableFuture<Throwable>();
    var talker = talk(Duration.ofMinutes(1), call -> {
      call.writeNow(message(LARGE));
      full.complete(call.isReady());
      assertThatExceptionOfType(CancellationException.class).isThrownBy(call::awaitReady)
          .satisfies(failure::complete);
    });
    assertThat(full.get()).isFalse();
    talker.requests.cancel("enough", null);

    assertThat(failure.get()).hasMessage("the call was cancelled");
  }

  /// Opens a call, which is the next of [#calls], too.
  private Talker talk(Duration idleMax, StreamCalls.Conversation<StringValue, StringValue> conversation)
      throws Exception {
    var streams = new StreamCalls<StringValue, StringValue>("talk", 1, idleMax);
    Server server = NettyServerBuilder
        .forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .addService(ServerServiceDefinition.builder("lladav.testing.Streams")
            .addMethod(METHOD,
                ServerCalls
                    .asyncBidiStreamingCall(responses -> new Arrivals(streams.serve(responses, call -> {
                      calls.add(call);
                      conversation.hold(call);
                    }))))
            .build())
        .build().start();
    opened.add(server::shutdownNow);
    opened.add(streams);
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext()
        .flowControlWindow(WINDOW_BYTES).build();
    opened.add(channel::shutdownNow);
    var talker = new Talker();
    var _ = ClientCalls.asyncBidiStreamingCall(channel.newCall(METHOD, CallOptions.DEFAULT), talker);
    return talker;
  }

  private static StringValue message(String text) {
    return StringValue.of(text);
  }

  /// The server's end of a call, which notes what has come.
  private final class Arrivals implements StreamObserver<StringValue> {
    private final StreamObserver<StringValue> requests;

    Arrivals(StreamObserver<StringValue> requests) {
      this.requests = requests;
    }

    @Override
    public void onNext(StringValue request) {
      requests.onNext(request);
      arrived.add(request);
    }

    @Override
    public void onError(Throwable failure) {
      requests.onError(failure);
    }

    @Override
    public void onCompleted() {
      requests.onCompleted();
    }
  }

  /// The client's end of a call.
  private static final class Talker implements ClientResponseObserver<StringValue, StringValue> {
    final CompletableFuture<String> ended = new CompletableFuture<>();
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    @SuppressWarnings("NullAway.Init") // set before the call begins
    ClientCallStreamObserver<StringValue> requests;

    void readOn(int count) {
      requests.request(count);
    }

    String next() throws InterruptedException {
      return heard.take();
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<StringValue> started) {
      requests = started;
      started.disableAutoRequestWithInitial(0);
    }

    @Override
    public void onNext(StringValue response) {
      heard.add(response.getValue());
    }

    @Override
    public void onError(Throwable failure) {
      ended.complete(failure.toString());
    }

    @Override
    public void onCompleted() {
      ended.complete("completed");
    }
  }
}
