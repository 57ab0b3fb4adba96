package io.lladav.gateway;

import static io.lladav.gateway.OpenDialogue.begin;
import static io.lladav.gateway.OpenDialogue.turn;
import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.lladav.internal.denoiser.v1.PromptSegment;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Step;
import io.lladav.v1.StreamOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class ManyClientsTest {
  private static final int AT_ONCE = 64;
  private static final ByteString PICTURE = picture("field-300x60.png");
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
  void dialoguesAndGenerationsAtOnceGetTheIdsTheyGetAlone() throws Exception {
    try (var cluster = Cluster.start()) {
      givesEachTheIdsItGetsAlone(cluster);
    }
  }

  @Test
  void answersEveryOneOfMoreClientsThanPlaces() throws Exception {
    try (var cluster = new Cluster.Setup().concurrentGenerationsMax(8, AT_ONCE).start()) {
      givesEachTheIdsItGetsAlone(cluster);
    }
  }

  @Test
  void servesWhoWaitsInTheOrderInWhichTheyCame() throws Exception {
    var denoiser = new ScriptedDenoiser();
    var release = new CompletableFuture<Void>();
    denoiser.play((session, step) -> {
      var _ = release.thenRunAsync(() -> session.answer(step));
    });
    try (var cluster = new Cluster.Setup().denoiser(denoiser).concurrentGenerationsMax(1, AT_ONCE).start();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var asked = new ArrayList<Future<Reply>>();
      for (int i = 0; i < 16; i++) {
        var request = request(i);
        asked.add(threads.submit(() -> cluster.client.generate(request)));
        if (i == 0) {
          denoiser.nextSession();
        } else {
          cluster.awaitWaiting(i);
        }
      }
      release.complete(null);
      for (var reply : asked) {
        assertThat(reply.get().ids()).hasSize(8);
      }
      var prompts = denoiser.sessions.stream().map(session -> session.opening().getSegmentsList()).toList();
      var alone = new ArrayList<List<PromptSegment>>();
      for (int i = 0; i < 16; i++) {
        var _ = cluster.client.generate(request(i));
        alone.add(denoiser.sessions.getLast().opening().getSegmentsList());
      }
      assertThat(prompts).isEqualTo(alone);
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

  /// Half of the clients ask once, the others twice in a dialogue.
  private static void givesEachTheIdsItGetsAlone(Cluster cluster) throws Exception {
    var clients = new ArrayList<Callable<List<List<Integer>>>>();
    for (int i = 0; i < AT_ONCE; i++) {
      int number = i;
      clients.add(number % 2 == 0
          ? () -> List.of(cluster.client.generate(request(number)).ids())
          : () -> twoReplies(cluster, number));
    }
    var alone = new ArrayList<List<List<Integer>>>();
    for (var client : clients) {
      alone.add(client.call());
    }
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var together = clients.stream().map(threads::submit).toList();
      for (int i = 0; i < AT_ONCE; i++) {
        assertThat(together.get(i).get()).as("client %s", i).isEqualTo(alone.get(i));
      }
    }
    assertThat(alone).doesNotHaveDuplicates();
    cluster.requireAllEnded();
  }

  private static List<List<Integer>> twoReplies(Cluster cluster, int number) throws Exception {
    try (var dialogue = OpenDialogue.on(cluster.client)) {
      dialogue.open(begin(NewConversation.newBuilder().setDecoding(request(number).getDecoding())));
      var name = text("Say something about the number " + number);
      return List.of(dialogue.ask(turn(name, image(PICTURE))).ids(), dialogue.ask(turn(text("Why?"))).ids());
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
