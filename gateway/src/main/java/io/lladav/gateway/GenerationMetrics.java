package io.lladav.gateway;

import io.lladav.decoding.FinishReason;
import io.lladav.gateway.GenerationEvent.Usage;
import io.lladav.runtime.Metrics;
import io.prometheus.client.Counter;
import io.prometheus.client.Histogram;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Counts and logs generations; of their content nothing but sizes.
final class GenerationMetrics {
  private static final Logger LOG = LoggerFactory.getLogger(GenerationMetrics.class);

  private final Counter generations;
  private final Counter steps;
  private final Counter forwards;
  private final Counter tokens;
  private final Histogram seconds;
  private final Histogram queueSeconds;
  private final Histogram visualSeconds;

  GenerationMetrics(Metrics metrics) {
    generations = metrics.counter("lladav_generations_total", "Finished replies.", "finish_reason");
    steps = metrics.counter("lladav_steps_total", "Denoising steps.");
    forwards = metrics.counter("lladav_forwards_total",
        "Model calls of finished replies; a guided pair is one.");
    tokens = metrics.counter("lladav_tokens_total", "Positions of finished replies.", "kind");
    seconds = metrics.seconds("lladav_generation_seconds", "From request to last event.");
    queueSeconds = metrics.seconds("lladav_generation_queue_wait_seconds",
        "Wait of a reply's steps in the denoiser's queue.");
    visualSeconds = metrics.seconds("lladav_visual_seconds", "From pictures to embeddings in the denoiser.");
  }

  /// A step is done.
  void step() {
    steps.inc();
  }

  /// A reply is complete.
  void finished(FinishReason reason, Usage usage) {
    generations.labels(reason.name().toLowerCase(Locale.ROOT)).inc();
    forwards.inc(usage.forwards());
    tokens.labels("prompt").inc(usage.promptTokens() - usage.visualTokens());
    tokens.labels("visual").inc(usage.visualTokens());
    tokens.labels("generated").inc(usage.generatedTokens());
    seconds.observe(usage.seconds().total());
    queueSeconds.observe(usage.seconds().queue());
    if (usage.visualTokens() > 0) {
      visualSeconds.observe(usage.seconds().visual());
    }
    LOG.atInfo()
        .addKeyValue("finish_reason", reason)
        .addKeyValue("prompt_tokens", usage.promptTokens())
        .addKeyValue("visual_tokens", usage.visualTokens())
        .addKeyValue("generated_tokens", usage.generatedTokens())
        .addKeyValue("nfe", usage.forwards())
        .addKeyValue("seconds", usage.seconds().total())
        .addKeyValue("forward_seconds", usage.seconds().forward())
        .log("generation finished");
  }
}
