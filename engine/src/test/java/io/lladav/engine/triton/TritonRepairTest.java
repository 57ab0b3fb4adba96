package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.EngineException;
import io.lladav.engine.Precision;
import io.lladav.model.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Models whose process dies, and which cannot be loaded again at once.
@Timeout(60)
final class TritonRepairTest {
  private static final int VOCABULARY = 700;

  private final Checkpoint checkpoint = Checkpoint
      .open(Path.of(System.getProperty("conformance.dir"), "checkpoints/tiny-b"));
  private final FakeTriton triton = new FakeTriton(checkpoint, VOCABULARY);
  private final BlockingQueue<Boolean> ready = new LinkedBlockingQueue<>();
  private final BlockingQueue<Boolean> repairs = new LinkedBlockingQueue<>();

  @AfterEach
  void stop() {
    triton.close();
    checkpoint.close();
  }

  @Test
  void loadsAModelAgainUntilThatSucceeds() throws Exception {
    try (var denoiser = denoiser(3, Duration.ofMinutes(10))) {
      triton.failingLoads.set(2);
      triton.state = FakeTriton.State.DEAD;

      assertThat(repairs.take()).isFalse();
      assertThat(repairs.take()).isFalse();
      assertThat(repairs.take()).isTrue();
      assertThat(ready.take()).isFalse();
      assertThat(ready.take()).isTrue();
      assertThat(triton.unloads).hasValue(1);
      open(denoiser);
    }
  }

  @Test
  void triesNoMoreOftenThanAllowedAndSaysWhy() throws Exception {
    try (var denoiser = denoiser(2, Duration.ofMinutes(10))) {
      triton.failingLoads.set(Integer.MAX_VALUE);
      triton.state = FakeTriton.State.DEAD;
      assertThat(repairs.take()).isFalse();
      assertThat(repairs.take()).isFalse();
      assertThat(ready.take()).isFalse();

      // A probe finds it as it was.
      awaitProbes();
      assertThat(triton.loads).hasValue(2);
      assertThatExceptionOfType(EngineException.Unavailable.class).isThrownBy(() -> open(denoiser))
          .withMessageContaining("its process had died, and it could not be loaded again: ")
          .withMessageContaining("no memory left")
          .withMessageEndingWith(
              "repaired 2 times within PT10M already (triton.repairs-max): restart the server");
    }
  }

  @Test
  void goesOnWhenTheWindowIsOver() throws Exception {
    try (var denoiser = denoiser(1, Duration.ofMillis(20))) {
      triton.failingLoads.set(3);
      triton.state = FakeTriton.State.DEAD;
      for (int i = 0; i < 3; i++) {
        assertThat(repairs.take()).isFalse();
      }
      assertThat(repairs.take()).isTrue();
      open(denoiser);
    }
  }

  @Test
  void leavesAModelAloneThatSomebodyElseUnloaded() throws Exception {
    try (var denoiser = denoiser(3, Duration.ofMinutes(10))) {
      triton.state = FakeTriton.State.UNLOADED;
      assertThat(ready.take()).isFalse();
      awaitProbes();
      assertThat(triton.loads).hasValue(0);

      triton.state = FakeTriton.State.LOADED;
      assertThat(ready.take()).isTrue();
      open(denoiser);
    }
  }

  @Test
  void noticesAServerThatWasStartedAnewAsAnotherOne() throws Exception {
    try (var _ = denoiser(3, Duration.ofMinutes(10))) {
      triton.precision = "bf16";
      assertThat(ready.take()).isFalse();
      triton.precision = "fp32";
      assertThat(ready.take()).isTrue();
    }
  }

  /// Waits until the model was asked twice more, so that what was concluded of the first time is known.
  private void awaitProbes() {
    int before = triton.asked.size();
    while (triton.asked.size() < before + 2) {
      Thread.onSpinWait();
    }
  }

  private static void open(DenoiserEngine denoiser) {
    denoiser.open(new CanvasLayout(2, 2, 0, false, new AttentionMode.Full(), new Cache.None())).close();
  }

  private DenoiserEngine denoiser(int repairsMax, Duration window) {
    var d = FakeTriton.settings(triton.target());
    var settings = new TritonSettings(d.target(), d.callTimeout(), d.loadTimeout(), d.messageBytesMax(),
        false, d.probeInterval(), d.probeTimeout(), repairsMax, window, false, d.tlsRoots(),
        d.tlsCertificates(), d.tlsKey());
    return TritonEngines.denoiser(checkpoint, VOCABULARY, Precision.FP32, settings,
        new BackendListener(ready::add, repairs::add), Optional::empty);
  }
}
