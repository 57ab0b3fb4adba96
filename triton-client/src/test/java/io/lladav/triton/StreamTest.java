package io.lladav.triton;

import static io.lladav.triton.TestModels.count;
import static io.lladav.triton.TestModels.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lladav.triton.StreamEvent.Answered;
import io.lladav.triton.StreamEvent.Failed;
import io.lladav.triton.TritonException.BackendDead;
import io.lladav.triton.TritonException.Cancelled;
import io.lladav.triton.TritonException.DeadlineExceeded;
import io.lladav.triton.TritonException.MissingModel;
import io.lladav.triton.TritonException.ModelError;
import io.lladav.triton.TritonException.TooLarge;
import io.lladav.triton.TritonException.WrongInput;
import io.lladav.triton.testing.LocalTriton;
import io.lladav.triton.testing.TritonTest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Streams with a real server.
@TritonTest
@Timeout(180)
final class StreamTest {
  private static LocalTriton triton;
  private static TritonClient client;

  @BeforeAll
  static void start() {
    triton = TestModels.serving().loading("count", "fail").start();
    client = TestModels.client(triton);
  }

  @AfterAll
  static void stop() {
    client.close();
    triton.close();
  }

  @Test
  void deliversAllResponsesAfterTheEndOfTheRequests() {
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count("c", 20, ""));
      stream.finish();

      var events = rest(stream);

      assertThat(indices(events, "c"))
          .containsExactlyElementsOf(java.util.stream.IntStream.range(0, 20).boxed().toList());
      assertThat(events.stream().map(StreamEvent::isFinal).toList()).containsOnlyOnce(true).endsWith(true);
    }
  }

  @Test
  void tellsInterleavedResponsesApart() {
    var held = unique();
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count(held, 2, "hold"));
      assertThat(next(stream).id()).isEqualTo(held);
      stream.send(count("other", 2, ""));
      var between = List.of(next(stream), next(stream));
      triton.signal(held + ".go");
      stream.finish();

      assertThat(indices(between, "other")).containsExactly(0, 1);
      assertThat(indices(rest(stream), held)).containsExactly(1);
    }
  }

  @Test
  void goesOnAfterTheFailureOfARequest() {
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count("a", 1, "fail"));
      assertThat(next(stream).isFinal()).isFalse();
      var refused = (Failed) next(stream);
      stream.send(fail("exception").withId("b"));
      var raised = (Failed) next(stream);
      stream.send(InferRequest.of("nothing").withId("d"));
      var missing = (Failed) next(stream);
      stream.send(InferRequest.of("fail").withId("e"));
      var wrong = (Failed) next(stream);
      stream.send(count("f", 1, ""));

      assertThat(refused.id()).isEqualTo("a");
      assertThat(refused.isFinal()).isTrue();
      assertThat(refused.failure()).isInstanceOf(ModelError.class)
          .hasMessage("OVERLOADED: sessions: 3 (expected: at most 2)");
      assertThat(raised.id()).isEqualTo("b");
      assertThat(raised.failure()).isInstanceOf(ModelError.class)
          .hasMessage("model fail failed by an exception of its own");
      assertThat(missing.id()).isEqualTo("d");
      assertThat(missing.failure()).isInstanceOf(MissingModel.class);
      assertThat(wrong.id()).isEqualTo("e");
      assertThat(wrong.failure()).isInstanceOf(WrongInput.class);
      assertThat(indices(List.of(next(stream)), "f")).containsExactly(0);
    }
  }

  @Test
  void tellsTheEndThatAModelSendsApart() {
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count("told", 1, "apart").withEmptyFinalResponse());
      stream.finish();

      var events = rest(stream);

      assertThat(events.stream().map(StreamEvent::isFinal)).containsExactly(false, true);
      assertThat(events.getLast()).isInstanceOfSatisfying(Answered.class,
          last -> assertThat(last.response().outputs()).isEmpty());
    }
  }

  @Test
  void cancellingReachesTheModel() {
    var held = unique();
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count(held, 2, "hold"));
      next(stream);
      triton.awaitSignal(held + ".arrived");

      stream.cancel();

      triton.awaitSignal(held + ".cancelled");
      assertThatExceptionOfType(Cancelled.class).isThrownBy(stream::read);
      assertThatExceptionOfType(Cancelled.class).isThrownBy(() -> stream.send(count(held, 1, "none")));
    }
  }

  @Test
  void aClosedConnectionReachesTheModel() {
    var held = unique();
    var other = TestModels.client(triton);
    try (var stream = other.stream(CallSettings.defaults())) {
      stream.send(count(held, 2, "hold"));
      next(stream);

      other.close();

      triton.awaitSignal(held + ".cancelled");
      assertThatExceptionOfType(TritonException.class).isThrownBy(stream::read);
    }
  }

  @Test
  void theStreamsDeadlineReachesTheModel() {
    var held = unique();
    try (var stream = client.stream(CallSettings.defaults().withDeadline(Duration.ofSeconds(5)))) {
      stream.send(count(held, 2, "hold"));
      next(stream);

      assertThatExceptionOfType(DeadlineExceeded.class).isThrownBy(stream::read);
      triton.awaitSignal(held + ".cancelled");
    }
  }

  @Test
  void anImpatientReaderGoesOn() {
    var held = unique();
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count(held, 2, "hold"));
      next(stream);

      assertThatExceptionOfType(DeadlineExceeded.class).isThrownBy(() -> stream.read(Duration.ofMillis(20)))
          .withMessage("no response within PT0.02S");
      triton.signal(held + ".go");

      assertThat(indices(List.of(next(stream)), held)).containsExactly(1);
    }
  }

  @Test
  void anInterruptedReaderCancelsTheStream() throws Exception {
    var held = unique();
    var interrupted = new CompletableFuture<Boolean>();
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count(held, 2, "hold"));
      next(stream);
      var reader = Thread.startVirtualThread(() -> {
        try {
          stream.read();
        } catch (Cancelled e) {
          interrupted.complete(Thread.currentThread().isInterrupted());
        }
      });
      triton.awaitSignal(held + ".arrived");

      reader.interrupt();

      assertThat(interrupted.get()).isTrue();
      triton.awaitSignal(held + ".cancelled");
    }
  }

  @Test
  void refusesRequestsThatAreTooLargeAndGoesOn() {
    try (var small = TritonClient.open(TritonConfig.of(triton.target()).withMessageBytesMax(4096, 4096));
        var stream = small.stream(CallSettings.defaults())) {
      assertThatExceptionOfType(TooLarge.class)
          .isThrownBy(() -> stream.send(count("l", 1, "x".repeat(5000))));

      stream.send(count("s", 1, ""));

      assertThat(indices(List.of(next(stream)), "s")).containsExactly(0);
    }
  }

  @Test
  void refusesOutputsInSharedMemory() {
    try (var region = client.createRegion(unique(), 64);
        var stream = client.stream(CallSettings.defaults())) {
      var request = count("s", 1, "").withOutputs(RequestedOutput.in("INDEX", region.slice(0, 64)));

      assertThatIllegalArgumentException().isThrownBy(() -> stream.send(request))
          .withMessage("outputs: in shared memory (expected: in the response, on a stream)");
    }
  }

  @Test
  void aReaderThatWaitsLosesNothing() {
    // More than the connection holds by itself: the server has to wait for the reader.
    try (var stream = client.stream(CallSettings.defaults())) {
      stream.send(count("many", 20_000, ""));
      stream.finish();

      assertThat(indices(rest(stream), "many")).hasSize(20_000).isSorted();
    }
  }

  /// The model has a process of its own here, so that other tests keep theirs.
  @Test
  void aModelThatDiesIsToldByTheNextRequest() {
    try (var doomed = TestModels.serving().loading("count").start();
        var other = TestModels.client(doomed);
        var stream = other.stream(CallSettings.defaults())) {
      stream.send(count("dies", 2, "die"));
      assertThat(indices(List.of(next(stream)), "dies")).containsExactly(0);
      stream.send(count("next", 1, ""));

      var failure = catchThrowableOfType(TritonException.class, () -> {
        var event = (Failed) next(stream);
        throw event.failure();
      });

      // The whole server may go down with the model: one in three did.
      assertThat(failure).isInstanceOfAny(BackendDead.class, TritonException.Unreachable.class);
      assertThat(failure.repeat()).isEqualTo(Repeat.UNSAFE);
    }
  }

  private static StreamEvent next(TritonStream stream) {
    return stream.read().orElseThrow();
  }

  private static List<StreamEvent> rest(TritonStream stream) {
    var events = new ArrayList<StreamEvent>();
    for (var event = stream.read(); event.isPresent(); event = stream.read()) {
      events.add(event.get());
    }
    return events;
  }

  private static List<Integer> indices(List<StreamEvent> events, String id) {
    return events.stream().map(event -> {
      assertThat(event.id()).isEqualTo(id);
      return ((Answered) event).response().output("INDEX", DataType.INT32, 1).asInts().get(0);
    }).toList();
  }

  private static String unique() {
    return "t" + UUID.randomUUID();
  }
}
