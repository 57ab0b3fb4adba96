package io.lladav.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

final class MetricsPageTest {
  private static final MetricsPage PAGE = MetricsPage.parse("""
      # HELP lladav_steps_total Denoising steps computed.
      # TYPE lladav_steps_total counter
      lladav_steps_total 12.0
      lladav_requests_total{service="a b",code="OK",} 3.0
      lladav_requests_total{service="a b",code="CANCELLED",} 1.0
      lladav_forward_seconds_bucket{le="+Inf",} 7.0
      jvm_memory_max_bytes{area="heap",} +Inf
      """);

  @Test
  void sumsAMetricOverItsLabels() {
    assertThat(PAGE.sum("lladav_steps_total")).hasValue(12);
    assertThat(PAGE.sum("lladav_requests_total")).hasValue(4);
    assertThat(PAGE.sum("jvm_memory_max_bytes")).hasValue(Double.POSITIVE_INFINITY);
    assertThat(PAGE.sum("lladav_steps")).isEmpty();
  }

  @Test
  void saysByHowMuchAMetricHasGrown() {
    var later = MetricsPage.parse("lladav_steps_total 20.0\nlladav_new_total 5.0\n");
    assertThat(later.growth("lladav_steps_total", PAGE)).hasValue(8);
    assertThat(later.growth("lladav_new_total", PAGE)).isEqualTo(OptionalDouble.empty());
  }
}
