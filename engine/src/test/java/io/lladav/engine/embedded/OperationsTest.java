package io.lladav.engine.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.Forward;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The arithmetic done is counted, and no more of it than a forward needs.
class OperationsTest {
  private static final int HIDDEN = 48;
  private static final int KEY_VALUE = 24;
  private static final int MLP = 80;
  private static final int VOCABULARY = 500;
  private static final long QUERY_AND_OUTPUT = 2L * HIDDEN * HIDDEN;
  private static final long KEY_AND_VALUE = 2L * HIDDEN * KEY_VALUE;
  private static final long MLP_PRODUCTS = 3L * HIDDEN * MLP;
  private static EmbeddedRuntime runtime;
  private static Checkpoint checkpoint;

  @BeforeAll
  static void start(@TempDir Path temporary) throws IOException {
    runtime = EmbeddedRuntime.start(2);
    RandomCheckpoint.of("hidden=48,layers=2,heads=4,kv_heads=2,mlp=80,vocabulary=500,vision_width=24")
        .writeWeights(temporary, _ -> true);
    checkpoint = Checkpoint.open(temporary);
  }

  @AfterAll
  static void stop() {
    checkpoint.close();
    runtime.close();
  }

  @Test
  void aFullForwardComputesEveryRowOnce() {
    long rows = 300;
    long layer = rows * (QUERY_AND_OUTPUT + KEY_AND_VALUE + MLP_PRODUCTS) + 2 * rows * rows * HIDDEN;
    long head = rows * HIDDEN * VOCABULARY;
    assertThat(operations(new Cache.None(), new Forward.Full(), 0, 300)).isEqualTo(2 * (2 * layer + head));
  }

  @Test
  void ofTheLastLayerOnlyAskedRowsAreComputedFurtherThanTheirKeysAndValues() {
    long first = 300 * (QUERY_AND_OUTPUT + KEY_AND_VALUE + MLP_PRODUCTS) + 2L * 300 * 300 * HIDDEN;
    long last = 300 * KEY_AND_VALUE + 64 * (QUERY_AND_OUTPUT + MLP_PRODUCTS) + 2L * 64 * 300 * HIDDEN;
    long head = 64 * HIDDEN * VOCABULARY;
    assertThat(operations(new Cache.None(), new Forward.Full(), 236, 300))
        .isEqualTo(2 * (first + last + head));
  }

  @Test
  void aWindowComputesItsOwnRowsAgainstAllPositions() {
    long layer = 64 * (QUERY_AND_OUTPUT + KEY_AND_VALUE + MLP_PRODUCTS) + 2L * 64 * 300 * HIDDEN;
    long head = 64 * HIDDEN * VOCABULARY;
    assertThat(operations(new Cache.KeysAndValues(), new Forward.Window(236, 300), 236, 300))
        .isEqualTo(2 * (2 * layer + head));
  }

  @Test
  void aMatrixProductCountsItself() {
    try (var product = runtime.product(3, 50, 70)) {
      long before = runtime.operations();
      product.run();
      assertThat(runtime.operations() - before).isEqualTo(2 * 3 * 50 * 70).isEqualTo(product.operations());
    }
  }

  /// Returns the operations of one step, behind a full one, that asks for the positions `from..end-1` of 300.
  private static long operations(Cache cache, Forward forward, int from, int end) {
    try (var denoiser = runtime.denoiser(checkpoint, new TokenIds(7, Set.of(1)), VOCABULARY,
        Precision.FP32, 256);
        var session = denoiser.open(new CanvasLayout(236, 64, 0, false, new AttentionMode.Full(), cache))) {
      var positions = IntStream.range(from, end).toArray();
      denoiser.run(List.of(new StepWork(session, positions, new Sampling.Greedy(), 0, new Forward.Full(),
          Certainty.CONFIDENCE)));
      long before = runtime.operations();
      denoiser.run(
          List.of(new StepWork(session, positions, new Sampling.Greedy(), 0, forward, Certainty.CONFIDENCE)));
      return runtime.operations() - before;
    }
  }
}
