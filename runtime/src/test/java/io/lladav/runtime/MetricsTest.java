package io.lladav.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class MetricsTest {
  private final Metrics metrics = new Metrics();

  @Test
  void readsAGaugeWhenAsked() {
    var waiting = new AtomicInteger(1);
    metrics.gauge("lladav_queue_steps", "Steps that wait.", waiting::get);

    waiting.set(5);

    assertThat(metrics.registry().getSampleValue("lladav_queue_steps")).isEqualTo(5);
  }

  @Test
  void countsDurationsInTheirBucket() {
    metrics.seconds("lladav_queue_wait_seconds", "Time in the queue.").observe(0.2);

    assertThat(bucket("0.1")).isZero();
    assertThat(bucket("0.25")).isEqualTo(1);
  }

  @Test
  void keepsTheProcessesOfOneJvmApart() {
    metrics.counter("lladav_steps_total", "Steps done.", "kind").labels("full").inc(2);
    new Metrics().counter("lladav_steps_total", "Steps done.", "kind").labels("full").inc();

    assertThat(metrics.registry()
        .getSampleValue("lladav_steps_total", new String[]{"kind"}, new String[]{"full"})).isEqualTo(2);
  }

  private Double bucket(String bound) {
    return metrics.registry()
        .getSampleValue("lladav_queue_wait_seconds_bucket", new String[]{"le"}, new String[]{bound});
  }
}
