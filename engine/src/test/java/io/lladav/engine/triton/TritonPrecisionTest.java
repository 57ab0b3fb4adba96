package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.engine.EngineException;
import io.lladav.engine.Precision;
import io.lladav.model.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// No engine works with a server that computes in another precision than it is configured for.
@Timeout(60)
final class TritonPrecisionTest {
  private static final BackendListener DEAF = new BackendListener(_ -> {}, _ -> {});
  private static final int VOCABULARY = 700;

  private final Checkpoint checkpoint = Checkpoint
      .open(Path.of(System.getProperty("conformance.dir"), "checkpoints/tiny-b"));
  private final FakeTriton triton = new FakeTriton(checkpoint, VOCABULARY);

  @AfterEach
  void stop() {
    triton.close();
    checkpoint.close();
  }

  @Test
  void takesTheOneThatIsConfigured() throws Exception {
    triton.precision = "bf16";
    try (var vision = open(Siglip2Model.NAME, Precision.BF16);
        var projector = open(ProjectorModel.NAME, Precision.BF16);
        var denoiser = open(LladaModel.NAME, Precision.BF16)) {
      assertThat(vision).isNotNull();
      assertThat(projector).isNotNull();
      assertThat(denoiser).isNotNull();
    }
  }

  @Test
  void saysWhichDiffers() {
    triton.precision = "bf16";
    for (var model : new String[]{Siglip2Model.NAME, ProjectorModel.NAME, LladaModel.NAME}) {
      assertThatExceptionOfType(EngineException.class).isThrownBy(() -> open(model, Precision.FP32))
          .withMessage("model " + model + " on Triton computes in bf16 (expected: fp32);"
              + " set precision here, or LLADAV_PRECISION there");
    }
  }

  private AutoCloseable open(String model, Precision precision) {
    var settings = FakeTriton.settings(triton.target());
    return switch (model) {
      case Siglip2Model.NAME ->
        TritonEngines.vision(checkpoint, precision, settings, DEAF, Optional::empty);
      case ProjectorModel.NAME ->
        TritonEngines.projector(checkpoint, precision, settings, DEAF, Optional::empty);
      default ->
        TritonEngines.denoiser(checkpoint, VOCABULARY, precision, settings, DEAF, Optional::empty);
    };
  }
}
