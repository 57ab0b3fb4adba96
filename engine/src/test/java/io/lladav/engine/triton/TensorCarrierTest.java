package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.engine.EngineException;
import io.lladav.engine.Precision;
import io.lladav.engine.VisionEngine;
import io.lladav.model.checkpoint.Checkpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Shared memory, and requests that are given up while the server may still use theirs.
@Timeout(60)
final class TensorCarrierTest {
  private static final BackendListener DEAF = new BackendListener(_ -> {}, _ -> {});

  private final Checkpoint checkpoint = Checkpoint
      .open(Path.of(System.getProperty("conformance.dir"), "checkpoints/tiny-b"));
  private final FakeTriton triton = new FakeTriton(checkpoint, 700);

  @AfterEach
  void stop() {
    triton.close();
    checkpoint.close();
  }

  @Test
  void usesARegionAgain() {
    try (var vision = vision(Duration.ofSeconds(30))) {
      encode(vision);
      encode(vision);
      assertThat(triton.registered).hasSize(1);
    }
    requireNothingLeft();
  }

  @Test
  void lendsNoRegionThatTheServerMayStillWriteTo() {
    try (var vision = vision(Duration.ofMillis(500))) {
      triton.answers = false;
      assertThatExceptionOfType(EngineException.Unavailable.class).isThrownBy(() -> encode(vision))
          .withMessageContaining("took longer than its deadline");
      assertThat(triton.unregistered).as("while it may be used").isEmpty();
      triton.answers = true;
      encode(vision);
      encode(vision);
      assertThat(triton.registered).hasSize(2);
    }
    requireNothingLeft();
  }

  private void requireNothingLeft() {
    assertThat(triton.unregistered).containsExactlyInAnyOrderElementsOf(triton.registered);
    assertThat(triton.registered).allSatisfy(name -> assertThat(Path.of("/dev/shm", name))
        .satisfies(file -> assertThat(Files.exists(file)).isFalse()));
  }

  private static void encode(VisionEngine vision) {
    vision.encode(floats(3 * vision.imageSize() * vision.imageSize()), 1,
        floats(vision.patchCount() * vision.width()));
  }

  private VisionEngine vision(Duration callTimeout) {
    var d = FakeTriton.settings(triton.target());
    // A probe that finds the server silent would take its time.
    var settings = new TritonSettings(d.target(), callTimeout, d.loadTimeout(), d.messageBytesMax(), true,
        Duration.ofMinutes(1), Duration.ofMillis(500), d.repairsMax(), d.repairWindow(), false, d.tlsRoots(),
        d.tlsCertificates(), d.tlsKey());
    return TritonEngines.vision(checkpoint, Precision.FP32, settings, DEAF, Optional::empty);
  }

  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(Float.BYTES * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
