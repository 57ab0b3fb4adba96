package io.lladav.engine.embedded;

import static io.lladav.engine.embedded.GoldenTensors.CONFORMANCE;
import static io.lladav.engine.embedded.GoldenTensors.assertClose;
import static io.lladav.engine.embedded.GoldenTensors.direct;
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
import io.lladav.engine.embedded.EmbeddedHead.HeadStep;
import io.lladav.model.checkpoint.Checkpoint;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The engine against tensors that the public code computed.
class GoldenTensorsTest {
  private static EmbeddedRuntime runtime;

  @BeforeAll
  static void start() {
    runtime = EmbeddedRuntime.start(2);
  }

  @AfterAll
  static void stop() {
    runtime.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-b", "tiny-c", "tiny-d"})
  void visionTowerAgrees(String name) {
    var golden = new GoldenTensors(name + "-image");
    try (var checkpoint = checkpoint(name); var vision = runtime.vision(checkpoint)) {
      int tiles = golden.shape("pixels")[0];
      var features = direct(tiles * vision.patchCount() * vision.width());
      vision.encode(golden.floats("pixels"), tiles, features);
      assertClose("vision", features, golden.floats("vision"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-a", "tiny-b", "tiny-c", "tiny-d"})
  void projectorAgrees(String name) {
    var golden = new GoldenTensors(name + "-image");
    try (var checkpoint = checkpoint(name); var projector = runtime.projector(checkpoint)) {
      int rows = golden.shape("vision")[0] * golden.shape("vision")[1];
      var embeddings = direct(rows * projector.outputWidth());
      projector.project(golden.floats("vision"), rows, embeddings);
      assertClose("projector", embeddings, golden.floats("projector"));
      assertThat(projector.imageNewline()).hasSize(projector.outputWidth());
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny-a, text", "tiny-b, text", "tiny-c, text", "tiny-d, text", "tiny-b, image",
      "tiny-c, image",
      "tiny-d, image"})
  void everyLayerAgrees(String name, String kind) {
    var golden = new GoldenTensors(name + "-" + kind);
    int length = golden.shape("canvas_embeddings")[0];
    int width = golden.shape("canvas_embeddings")[1];
    try (var checkpoint = checkpoint(name);
        var denoiser = denoiser(checkpoint, golden.shape("logits")[1]);
        var canvas = denoiser.open(layout(length))) {
      canvas.writeEmbeddings(0, golden.floats("canvas_embeddings"));
      var everywhere = new StepWork(canvas, IntStream.range(0, length).toArray(), new Sampling.Greedy(), 0,
          new Forward.Full(), Certainty.CONFIDENCE);
      var steps = new ArrayList<HeadStep>();
      var residual = denoiser.forward(List.of(everywhere), () -> {},
          (layer, rows) -> assertClose("hidden_" + layer, floats(rows.asSlice(0, 4L * length * width)),
              golden.floats("hidden_" + layer)),
          steps);
      assertClose("final_norm",
          floats(denoiser.head().normed(residual, steps.getFirst()).asSlice(0, 4L * length * width)),
          golden.floats("final_norm"));
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny-a, text", "tiny-b, text", "tiny-c, text", "tiny-d, text", "tiny-b, image",
      "tiny-c, image",
      "tiny-d, image"})
  void logitsOfTheMaskedPositionsAgree(String name, String kind) {
    var golden = new GoldenTensors(name + "-" + kind);
    int length = golden.shape("canvas_embeddings")[0];
    int generated = golden.shape("logits")[0];
    try (var checkpoint = checkpoint(name);
        var denoiser = denoiser(checkpoint, golden.shape("logits")[1]);
        var canvas = denoiser.open(new CanvasLayout(length - generated, generated, 0, false,
            new AttentionMode.Full(), new Cache.None()))) {
      canvas.writeEmbeddings(0, golden.floats("canvas_embeddings"));
      var positions = IntStream.range(length - generated, length).toArray();
      assertClose("logits",
          logits(denoiser,
              new StepWork(canvas, positions, new Sampling.Greedy(), 0, new Forward.Full(),
                  Certainty.CONFIDENCE)),
          golden.floats("logits"));
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny-a, 1017", "tiny-b, 737"})
  void dialogueCausalAttentionAgrees(String name, int vocabularySize) {
    var golden = new GoldenTensors("training-" + name);
    var ids = golden.ints("input_ids");
    try (var checkpoint = checkpoint(name); var denoiser = denoiser(checkpoint, vocabularySize)) {
      for (var mode : new AttentionMode[]{new AttentionMode.Full(),
          new AttentionMode.DialogueCausal(golden.ints("conversation_ids"))}) {
        try (var canvas = denoiser
            .open(new CanvasLayout(ids.length - 1, 1, 0, false, mode, new Cache.None()))) {
          canvas.writeIds(0, ids);
          var work = new StepWork(canvas, IntStream.range(0, 64).toArray(), new Sampling.Greedy(), 0,
              new Forward.Full(), Certainty.CONFIDENCE);
          var logits = logits(denoiser, work);
          var expected = golden.floats(
              mode instanceof AttentionMode.Full ? "logits_full_attention" : "logits").slice(0, 64 * 128);
          var firstColumns = direct(64 * 128);
          for (int row = 0; row < 64; row++) {
            firstColumns.put(logits.slice(row * vocabularySize, 128));
          }
          assertClose("logits", firstColumns.flip(), expected);
        }
      }
    }
  }

  private static FloatBuffer logits(EmbeddedDenoiser denoiser, StepWork work) {
    var steps = new ArrayList<HeadStep>();
    var residual = denoiser.forward(List.of(work), () -> {}, (_, _) -> {}, steps);
    return floats(denoiser.head().logits(residual, steps.getFirst())
        .asSlice(0, 4L * work.positions().length * denoiser.vocabularySize()));
  }

  private static FloatBuffer floats(MemorySegment segment) {
    return segment.asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private static Checkpoint checkpoint(String name) {
    return Checkpoint.open(CONFORMANCE.resolve("checkpoints/" + name));
  }

  private static EmbeddedDenoiser denoiser(Checkpoint checkpoint, int vocabularySize) {
    return new EmbeddedDenoiser(runtime, checkpoint, new TokenIds(0, Set.of()), vocabularySize,
        Precision.FP32, 256);
  }

  private static CanvasLayout layout(int length) {
    return new CanvasLayout(length - 1, 1, 0, false, new AttentionMode.Full(), new Cache.None());
  }
}
