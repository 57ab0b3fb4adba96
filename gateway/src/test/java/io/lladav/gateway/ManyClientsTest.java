package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.Step;
import io.lladav.v1.StreamOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class ManyClientsTest {
  private static final int AT_ONCE = 64;
  private static final int SLOW_READERS = 200;
  private static final int GEN_LENGTH = 512;
  private static final int STEPS = 32;
  // What the network holds of a stream that nobody reads.
  private static final int WINDOW_BYTES = 1 << 16;
  // What the gateway holds for it before it counts as slow, and the message that made it so.
  private static final int UNSENT_BYTES = 1 << 16;

  @Test
  void eachOfManyAtOnceGetsTheIdsItGetsAlone() throws Exception {
    try (var cluster = Cluster.start();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var requests = IntStream.range(0, AT_ONCE).mapToObj(ManyClientsTest::request).toList();
      var alone = new ArrayList<List<Integer>>();
      for (var request : requests) {
        alone.add(cluster.client.generate(request).ids());
      }

      var together = requests.stream()
          .map(request -> threads.submit(() -> cluster.client.generate(request).ids())).toList();

      for (int i = 0; i < AT_ONCE; i++) {
        assertThat(together.get(i).get()).as("generation %s", i).isEqualTo(alone.get(i));
      }
      cluster.requireAllEnded();
    }
  }

  @Test
  void slowReadersMissGuessesAndNoCommit() throws Exception {
    try (var cluster = new Cluster.Setup().concurrentGenerationsMax(SLOW_READERS).start();
        var client = new Client(NettyChannelBuilder.forAddress("127.0.0.1", cluster.gateway().port())
            .flowControlWindow(WINDOW_BYTES).usePlaintext().build())) {
      var readers = IntStream.range(0, SLOW_READERS).mapToObj(i -> new SlowReader()).toList();
      for (int i = 0; i < SLOW_READERS; i++) {
        var request = request(i).setStream(StreamOptions.newBuilder().setProvisional(true));
        request.getDecodingBuilder().setGenLength(GEN_LENGTH).setSteps(STEPS);
        GenerationServiceGrpc.newStub(client.channel()).generate(request.build(), readers.get(i));
      }
      for (int i = 0; i < SLOW_READERS; i++) {
        cluster.denoiser.nextSession();
      }
      // The generations do not wait for their readers.
      cluster.requireAllEnded();

      readers.forEach(SlowReader::readOn);

      for (var reader : readers) {
        var reply = new Reply(reader.events.get());
        assertThat(reply.committed()).hasSize(GEN_LENGTH);
        assertThat(reply.ids()).hasSize(GEN_LENGTH);
        assertThat(reply.steps()).hasSize(STEPS);
        assertThat(reply.steps().stream().filter(step -> step.getProvisionalCount() > 0)
            .mapToInt(Step::getSerializedSize).sum()).as("bytes with guesses").isPositive()
            .isLessThan(WINDOW_BYTES + UNSENT_BYTES);
        assertThat(reply.steps().get(STEPS - 2).getProvisionalList()).isEmpty();
      }
    }
  }

  private static GenerateRequest.Builder request(int number) {
    var request = question("Say something about the number " + number);
    request.getDecodingBuilder().setSeed(number).setTemperature(number % 2 == 0 ? 0 : 0.8);
    return request;
  }

  /// Takes nothing off the wire until it is told to read on.
  private static final class SlowReader
      implements
        ClientResponseObserver<GenerateRequest, GenerateResponse> {
    private final CompletableFuture<ClientCallStreamObserver<GenerateRequest>> call = new CompletableFuture<>();
    private final List<GenerateResponse> read = new ArrayList<>();
    private final CompletableFuture<List<GenerateResponse>> ended = new CompletableFuture<>();
    final Future<List<GenerateResponse>> events = ended;

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> started) {
      started.disableAutoRequestWithInitial(0);
      call.complete(started);
    }

    void readOn() {
      call.join().request(Integer.MAX_VALUE);
    }

    @Override
    public void onNext(GenerateResponse event) {
      read.add(event);
    }

    @Override
    public void onError(Throwable failure) {
      ended.completeExceptionally(Status.fromThrowable(failure).asException());
    }

    @Override
    public void onCompleted() {
      ended.complete(read);
    }
  }
}
