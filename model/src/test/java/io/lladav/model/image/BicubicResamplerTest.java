package io.lladav.model.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.lladav.model.GoldenTensors;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.StreamSupport;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class BicubicResamplerTest {
  private static List<JsonNode> cases() {
    JsonNode cases = GoldenTensors.json("resize/index.json").path("cases");
    return StreamSupport.stream(cases.spliterator(), false).toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void resizesToPillowsBytes(JsonNode expected) {
    Picture from = Golden.picture("resize/" + expected.path("in").asText());
    Picture to = Golden.picture("resize/" + expected.path("out").asText());

    Picture resized = BicubicResampler.resize(from, Golden.size(expected.path("to")));

    assertThat(resized.size()).isEqualTo(to.size());
    assertThat(resized.rgb()).isEqualTo(to.rgb());
  }

  @Property(tries = 200)
  void resizesAFieldAsIfItHadBeenBuilt(@ForAll @IntRange(min = 1, max = 40) int width,
      @ForAll @IntRange(min = 1, max = 40) int height, @ForAll @IntRange(min = 1, max = 30) int side,
      @ForAll @IntRange(min = 0, max = 255) int gray, @ForAll long seed) {
    byte[] rgb = new byte[3 * width * height];
    new Random(seed).nextBytes(rgb);
    Picture picture = new Picture(width, height, rgb);
    var plan = new PaddedPlan(picture.size(), false, side, 1);
    var square = new Size(plan.squareSide(), plan.squareSide());

    Picture direct = BicubicResampler.resize(picture,
        new BicubicResampler.Field(square, plan.left(), plan.top(), gray), new Size(side, side));

    Picture built = BicubicResampler.resize(pasted(picture, plan, gray), new Size(side, side));
    assertThat(direct.rgb()).isEqualTo(built.rgb());
  }

  private static Picture pasted(Picture picture, PaddedPlan plan, int gray) {
    int side = plan.squareSide();
    byte[] rgb = new byte[3 * side * side];
    Arrays.fill(rgb, (byte) gray);
    for (int y = 0; y < picture.height(); y++) {
      System.arraycopy(picture.rgb(), 3 * y * picture.width(), rgb,
          3 * ((plan.top() + y) * side + plan.left()),
          3 * picture.width());
    }
    return new Picture(side, side, rgb);
  }
}
