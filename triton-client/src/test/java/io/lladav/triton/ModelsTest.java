package io.lladav.triton;

import static io.lladav.triton.TestModels.LOADING;
import static io.lladav.triton.TestModels.fail;
import static io.lladav.triton.TestModels.queued;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lladav.triton.TritonException.BackendDead;
import io.lladav.triton.TritonException.Leaving;
import io.lladav.triton.TritonException.LoadFailed;
import io.lladav.triton.TritonException.QueueFull;
import io.lladav.triton.TritonException.QueueTimeout;
import io.lladav.triton.testing.LocalTriton;
import io.lladav.triton.testing.TritonTest;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Models of a real server: what it says of them, loading, unloading, queues, and their death.
@TritonTest
@Timeout(180)
final class ModelsTest {
  private static final String QUEUE = """
      {"name": "queue", "backend": "python", "max_batch_size": 1,
       "input": [{"name": "VALUE", "data_type": "TYPE_INT32", "dims": [1]}],
       "output": [{"name": "VALUE", "data_type": "TYPE_INT32", "dims": [1]}],
       "instance_group": [{"kind": "KIND_CPU", "count": 1}],
       "dynamic_batching": {"default_queue_policy": {%s}}}""";
  private static LocalTriton triton;
  private static TritonClient client;

  @BeforeAll
  static void start() {
    triton = TestModels.serving().loading("echo").start();
    client = TestModels.client(triton);
  }

  @AfterAll
  static void stop() {
    client.close();
    triton.close();
  }

  @Test
  void saysWhatServerAndModelAre() {
    assertThat(client.isLive()).isTrue();
    assertThat(client.isModelReady("echo", "")).isTrue();
    assertThat(client.isModelReady("nothing", "")).isFalse();
    assertThat(client.serverMetadata().name()).isEqualTo("triton");
    assertThat(client.serverMetadata().extensions()).contains("system_shared_memory", "statistics");
    var echo = client.modelMetadata("echo", "1");
    assertThat(echo.platform()).isEqualTo("python");
    assertThat(echo.versions()).containsExactly("1");
    assertThat(echo.inputs()).contains(new ModelMetadata.Tensor("IN_BF16", DataType.BF16, List.of(-1L, -1L)));
    assertThat(echo.outputs()).contains(new ModelMetadata.Tensor("PARAMETERS", DataType.BYTES, List.of(1L)));
  }

  @Test
  void countsWhatAModelDid() {
    var before = client.modelStatistics("echo").getFirst();
    client.infer(InferRequest.of("echo", TritonTensor.int32("IN_INT32", new int[]{1}, 1, 1))
        .withOutputs(RequestedOutput.named("OUT_INT32")));

    // The server counts a request after its answer has gone out.
    triton.await("the count",
        () -> client.modelStatistics("echo").getFirst().inferences() > before.inferences());

    var after = client.modelStatistics("echo").getFirst();
    assertThat(after.model()).isEqualTo("echo");
    assertThat(after.executions()).isEqualTo(before.executions() + 1);
    assertThat(after.success().count()).isEqualTo(before.success().count() + 1);
    assertThat(after.computeInfer().time()).isGreaterThan(before.computeInfer().time());
  }

  @Test
  void loadsAndUnloads() {
    assertThat(state("ragged")).isNotEqualTo("READY");
    client.load("ragged", LOADING);
    assertThat(state("ragged")).isEqualTo("READY");

    client.unload("ragged", LOADING);

    triton.await("unloading", () -> state("ragged").equals("UNAVAILABLE"));
    // The same words as of a server that shuts down: ask another.
    assertThatExceptionOfType(Leaving.class).isThrownBy(() -> client.infer(
        InferRequest.of("ragged", TritonTensor.int32("VALUES", new int[]{1}, 1, 1))))
        .satisfies(failure -> assertThat(failure.repeat()).isEqualTo(Repeat.ELSEWHERE));
    client.unload("ragged", LOADING);
  }

  @Test
  void saysWhichModelCannotBeLoaded() {
    assertThatExceptionOfType(LoadFailed.class).isThrownBy(() -> client.load("nothing", LOADING))
        .withMessageContaining("failed to load 'nothing'");
    assertThatExceptionOfType(LoadFailed.class).isThrownBy(() -> client.load("hold", "{no json", LOADING))
        .satisfies(failure -> assertThat(failure.repeat()).isEqualTo(Repeat.USELESS));
  }

  @Test
  void aModelWhoseProcessDiedIsReadyButDeadUntilItIsLoadedAgain() {
    client.load("fail", LOADING);
    // Python has put byte code beside a model that was never loaded before, so the server takes it for a changed one.
    client.load("fail", LOADING);
    assertThatExceptionOfType(BackendDead.class).isThrownBy(() -> client.infer(fail("die")));

    var later = catchThrowableOfType(BackendDead.class, () -> client.infer(fail("none")));

    assertThat(later.repeat()).isEqualTo(Repeat.UNSAFE);
    assertThat(client.isModelReady("fail", "")).isTrue();
    client.load("fail", LOADING);
    assertThatExceptionOfType(BackendDead.class).isThrownBy(() -> client.infer(fail("none")));
    // Its unloading never ends, as it waits for the dead process; loading does not wait for it.
    client.unload("fail", LOADING);
    client.load("fail", LOADING);
    assertThat(client.infer(fail("none")).outputs()).containsOnlyKeys("MODE");
  }

  @Test
  void tellsAFullQueueAndOneThatIsTooSlow() {
    client.load("queue", QUEUE.formatted("\"max_queue_size\": 1"), LOADING);
    var running = infer("full-1");
    triton.awaitSignal("full-1.arrived");
    // One finds the place in the queue, the others find it taken.
    var waiting = Stream.of("full-2", "full-3", "full-4").map(ModelsTest::infer).toList();
    var refused = (TritonException) CompletableFuture.anyOf(waiting.toArray(CompletableFuture[]::new))
        .handle((_, failure) -> failure instanceof CompletionException ? failure.getCause() : failure).join();
    Stream.of("full-1", "full-2", "full-3", "full-4").forEach(id -> triton.signal(id + ".go"));
    assertThat(running.join().id()).isEqualTo("full-1");
    waiting.forEach(call -> call.handle((_, _) -> "ended").join());
    client.unload("queue", LOADING);
    triton.await("unloading", () -> state("queue").equals("UNAVAILABLE"));

    client.load("queue",
        QUEUE.formatted("\"default_timeout_microseconds\": 1, \"timeout_action\": \"REJECT\""),
        LOADING);
    var late = catchThrowableOfType(QueueTimeout.class, () -> client.infer(queued("late")));
    client.unload("queue", LOADING);

    assertThat(refused).isInstanceOf(QueueFull.class);
    assertThat(refused.repeat()).isEqualTo(Repeat.SAFE);
    assertThat(late.repeat()).isEqualTo(Repeat.SAFE);
  }

  private static CompletableFuture<InferResponse> infer(String id) {
    var answer = new CompletableFuture<InferResponse>();
    Thread.startVirtualThread(() -> {
      try {
        answer.complete(client.infer(queued(id)));
      } catch (RuntimeException e) {
        answer.completeExceptionally(e);
      }
    });
    return answer;
  }

  private static String state(String model) {
    return client.repositoryIndex().stream().filter(listed -> listed.name().equals(model)).findFirst()
        .orElseThrow()
        .state();
  }
}
