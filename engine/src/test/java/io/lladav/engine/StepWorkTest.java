package io.lladav.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class StepWorkTest {
  /// Seven positions of prompt, four generated, two of suffix.
  private static CanvasLayout layout(boolean guided, Cache cache) {
    return new CanvasLayout(7, 4, 2, guided, new AttentionMode.Full(), cache);
  }

  @Test
  void aFullForwardComputesEveryRow() {
    assertThat(work(layout(false, new Cache.None()), 0, new Forward.Full()).rows()).isEqualTo(13);
  }

  @Test
  void aWindowComputesItsOwnRows() {
    var layout = layout(false, new Cache.KeysAndValues());

    assertThat(work(layout, 0, new Forward.Window(8, 13)).rows()).isEqualTo(5);
  }

  @Test
  void aForwardAgainstFeaturesComputesThePromptOnlyIfItIsRefreshed() {
    var layout = layout(false, new Cache.Features(1));

    assertThat(work(layout, 0, new Forward.Features(true, true)).rows()).isEqualTo(13);
    assertThat(work(layout, 0, new Forward.Features(true, false)).rows()).isEqualTo(13);
    assertThat(work(layout, 0, new Forward.Features(false, true)).rows()).isEqualTo(6);
    assertThat(work(layout, 0, new Forward.Features(false, false)).rows()).isEqualTo(6);
  }

  @Test
  void guidanceComputesTwoCanvases() {
    var layout = layout(true, new Cache.KeysAndValues());

    assertThat(work(layout, 1, new Forward.Window(8, 13)).rows()).isEqualTo(10);
    assertThat(work(layout, 0, new Forward.Window(8, 13)).rows()).isEqualTo(5);
  }

  private static StepWork work(CanvasLayout layout, double guidanceScale, Forward forward) {
    return new StepWork(new Canvas(layout), new int[]{8}, new Sampling.Greedy(), guidanceScale, forward,
        Certainty.CONFIDENCE);
  }

  /// A session that is never computed.
  private record Canvas(CanvasLayout layout) implements DenoiserSession {
    @Override
    public void writeIds(int position, int[] ids) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void writeEmbeddings(int position, FloatBuffer rows) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void biasLogits(LogitBias bias) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }
}
