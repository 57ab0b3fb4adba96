package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lladav.model.GoldenTensors;
import org.junit.jupiter.api.Test;

final class FrameSamplingTest {
  @Test
  void picksTheReferenceFrames() {
    JsonNode cases = GoldenTensors.json("rules.json").path("frames");
    assertThat(cases.size()).isPositive();
    for (JsonNode expected : cases) {
      int total = expected.path("total").asInt();
      int count = expected.path("frames").asInt();

      assertThat(FrameSampling.indices(total, count)).as("%s of %s", count, total)
          .containsExactly(expected.path("index").valueStream().mapToInt(JsonNode::asInt).toArray());
    }
  }
}
