package io.lladav.engine.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightedDrawTest {
  private final GoldenTensors golden = new GoldenTensors("sampling");

  @Test
  void drawsAsTheReferenceDoesWhereNoRoundingDecides() {
    int compared = 0;
    for (var draw : golden.description().get("inverse_cdf")) {
      if (draw.get("margin").asDouble() > 1e-8) {
        var chosen = new WeightedDraw(row(draw.get("row").asInt()), 64, draw.get("temperature").asDouble())
            .candidate(draw.get("uniform").asDouble());
        assertThat(chosen).as(draw.toString()).isEqualTo(draw.get("id").asInt());
        compared++;
      }
    }
    assertThat(compared).isGreaterThan(100);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.2", "0.7", "1.0", "1.5"})
  void evenlySpacedNumbersGiveTheReferenceDistribution(String temperature) {
    var expected = golden.doubles("p_" + temperature);
    int draws = 20_000;
    for (int row = 0; row < 3; row++) {
      var frequency = new double[64];
      var draw = new WeightedDraw(row(row), 64, Double.parseDouble(temperature));
      for (int i = 0; i < draws; i++) {
        frequency[draw.candidate((i + 0.5) / draws)] += 1.0 / draws;
      }
      for (int id = 0; id < 64; id++) {
        assertThat(frequency[id]).isCloseTo(expected[64 * row + id], within(1.0 / draws));
      }
    }
  }

  @Test
  void agreesWithTheDefinitionOverManyBlocks() {
    var random = new Random(3);
    var logits = new float[20_001];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = i % 97 == 5 ? Float.NEGATIVE_INFINITY : (float) (8 * random.nextGaussian());
    }
    for (double temperature : new double[]{0.05, 1, 3, 1e9}) {
      var draw = new WeightedDraw(segment(logits), logits.length, temperature);
      for (double uniform : List.of(0.0, random.nextDouble(), random.nextDouble(), Math.nextDown(1.0))) {
        assertThat(draw.candidate(uniform)).isEqualTo(byDefinition(logits, temperature, uniform));
      }
    }
  }

  @Test
  void neverDrawsASuppressedId() {
    var logits = new float[]{Float.NEGATIVE_INFINITY, -1e30f, 3, Float.NEGATIVE_INFINITY};
    for (double temperature : new double[]{Double.MIN_VALUE, 1, Double.MAX_VALUE}) {
      var draw = new WeightedDraw(segment(logits), 4, temperature);
      assertThat(draw.candidate(0)).isIn(1, 2);
      assertThat(draw.candidate(Math.nextDown(1.0))).isEqualTo(2);
    }
  }

  private static int byDefinition(float[] logits, double temperature, double uniform) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    var weights = new BigInteger[logits.length];
    var total = BigInteger.ZERO;
    for (int id = 0; id < logits.length; id++) {
      weights[id] = new BigDecimal(StrictMath.exp((logits[id] - max) / temperature) * 0x1p40).toBigInteger();
      total = total.add(weights[id]);
    }
    var target = new BigDecimal(uniform).multiply(new BigDecimal(total)).toBigInteger();
    var running = BigInteger.ZERO;
    for (int id = 0;; id++) {
      running = running.add(weights[id]);
      if (running.compareTo(target) > 0) {
        return id;
      }
    }
  }

  private MemorySegment row(int row) {
    return MemorySegment.ofBuffer(golden.floats("logits").slice(64 * row, 64));
  }

  private static MemorySegment segment(float[] logits) {
    FloatBuffer direct = GoldenTensors.direct(logits.length).put(logits).flip();
    return MemorySegment.ofBuffer(direct);
  }
}
