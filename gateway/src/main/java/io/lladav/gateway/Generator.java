package io.lladav.gateway;

import io.grpc.Context;
import io.lladav.decoding.Asked;
import io.lladav.decoding.Choice;
import io.lladav.decoding.Commit;
import io.lladav.decoding.CounterRandom;
import io.lladav.decoding.RandomNumbers;
import io.lladav.decoding.ReverseProcess;
import io.lladav.decoding.Step;
import io.lladav.gateway.GenerationEvent.Finished;
import io.lladav.gateway.GenerationEvent.Grown;
import io.lladav.gateway.GenerationEvent.PromptBuilt;
import io.lladav.gateway.GenerationEvent.Seconds;
import io.lladav.gateway.GenerationEvent.Started;
import io.lladav.gateway.GenerationEvent.Stepped;
import io.lladav.gateway.GenerationEvent.Token;
import io.lladav.gateway.GenerationEvent.Usage;
import io.lladav.gateway.GenerationEvent.VisualEncoded;
import io.lladav.gateway.GenerationRequest.StreamForm;
import io.lladav.runtime.ServiceException;
import io.lladav.v1.ModelIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Runs generations: one thread each, one stream to one denoiser each, canvas and randomness here.
final class Generator {
  private final ServedModel served;
  private final ModelIdentity identity;
  private final int canvasPositionsMax;
  private final Backends backends;
  private final VisualStream visualStream;
  private final Duration failoverTime;
  private final int maxStepsPerCall;
  private final GenerationMetrics metrics;

  /// @param denoiser the identity every denoiser must have, and the canvas that fits there
  /// @param config limits and times
  Generator(ServedModel served, Handshake.Denoiser denoiser, Backends backends, GatewayConfig config,
      GenerationMetrics metrics) {
    this.served = served;
    this.identity = denoiser.identity();
    this.canvasPositionsMax = denoiser.canvasPositionsMax();
    this.backends = backends;
    this.visualStream = new VisualStream(backends, denoiser.identity().getCheckpointDigest());
    this.failoverTime = config.failoverTime();
    this.maxStepsPerCall = config.maxStepsPerCall();
    this.metrics = metrics;
  }

  /// Runs one generation to its end.
  ///
  /// @param numbers where random numbers come from
  /// @param events takes what happens, in the order [GenerationEvent] says, on this thread
  /// @throws ServiceException if the request is refused or a service is missing
  /// @throws Exception if the client has gone or a service failed
  void run(GenerationRequest request, RandomNumbers numbers, Consumer<GenerationEvent> events)
      throws Exception {
    try {
      new Run(request, numbers, events).toEnd();
    } catch (BackendException e) {
      throw BackendFailures.toClient(e);
    }
  }

  /// One generation under way.
  private final class Run {
    private final GenerationRequest request;
    private final Consumer<GenerationEvent> events;
    private final int stepsPerCall;
    private final ReverseProcess process;
    private final StableText stableText;
    private final float[] confidences;
    private final int[] commitSteps;
    private final long startNanos = System.nanoTime();
    private double promptSeconds;
    private double visualSeconds;
    private double queueSeconds;
    private double forwardSeconds;
    private double policySeconds;

    Run(GenerationRequest request, RandomNumbers numbers, Consumer<GenerationEvent> events) {
      this.request = request;
      this.events = events;
      // Recorded numbers are known here alone.
      this.stepsPerCall = numbers instanceof CounterRandom ? maxStepsPerCall : 1;
      this.process = new ReverseProcess(request.decoding(), maskId(), numbers,
          request.provisional() ? Asked.ALL_MASKED : Asked.ELIGIBLE);
      this.stableText = new StableText(served.tokenizer(), request.decoding());
      this.confidences = new float[request.decoding().genLength()];
      this.commitSteps = new int[request.decoding().genLength()];
      request.decoding().draft().choices().forEach(fixed -> confidences[fixed.position()] = 1);
    }

    void toEnd() throws Exception {
      var plan = served.plan(request);
      served.requireFits(plan);
      requireCanvas(plan);
      promptSeconds = secondsSince(startNanos);
      events.accept(new PromptBuilt(plan.prompt()));
      events.accept(new Started(plan.promptPositions(), plan.plans(), fixed()));
      grow(stableText.grow(), 0);
      try (var link = new DenoiserLink(backends, visualStream, identity, request, plan,
          served.digests(request, plan),
          failoverTime, stepsPerCall,
          (visual, digests) -> events.accept(new VisualEncoded(visual, digests)))) {
        long visualStart = System.nanoTime();
        link.open();
        visualSeconds = secondsSince(visualStart);
        denoise(link);
      }
      finish(plan);
    }

    private void denoise(DenoiserLink link) throws Exception {
      for (var step = process.next(); step.isPresent(); step = process.next()) {
        requireClient();
        var answer = link.run(step.get());
        queueSeconds += answer.queueSeconds();
        forwardSeconds += answer.forwardSeconds();
        long policyStart = System.nanoTime();
        var commit = process.accept(step.get(), answer.candidates(), answer.confidences(),
            answer.certainties());
        link.commit(commit.changes(maskId()));
        policySeconds += secondsSince(policyStart);
        metrics.step();
        events.accept(stepped(step.get(), commit, answer));
        note(step.get(), commit.changes(maskId()));
      }
    }

    private void note(Step step, List<Choice> changes) {
      for (var choice : changes) {
        confidences[choice.position()] = (float) choice.confidence();
        commitSteps[choice.position()] = step.number() + 1;
      }
      if (request.streamForm() == StreamForm.GROWING_TEXT) {
        stableText.commit(changes);
        grow(stableText.grow(), step.number() + 1);
      }
    }

    private void grow(String text, int steps) {
      if (request.streamForm() == StreamForm.GROWING_TEXT && !text.isEmpty()) {
        events.accept(new Grown(text, steps));
      }
    }

    private List<Token> fixed() {
      return request.decoding().draft().choices().stream().map(this::token).toList();
    }

    private Stepped stepped(Step step, Commit commit, DenoiserSession.Answer answer) {
      return new Stepped(step.number(), step.block(),
          commit.changes(maskId()).stream().map(this::token).toList(),
          request.provisional() ? provisional(step, answer) : List.of());
    }

    private List<Token> provisional(Step step, DenoiserSession.Answer answer) {
      var tokens = new ArrayList<Token>();
      // What lies after a stop is never denoised, so no guess at it will come true.
      int end = process.stopPosition().orElse(request.decoding().genLength());
      IntStream.range(0, step.asked().length)
          .filter(i -> step.asked()[i] < end && process.isMasked(step.asked()[i])
              && answer.candidates()[i] != maskId())
          .forEach(i -> tokens.add(
              token(new Choice(step.asked()[i], answer.candidates()[i], answer.confidences()[i]))));
      return tokens;
    }

    private Token token(Choice choice) {
      return new Token(choice.position(), choice.id(), choice.confidence(),
          served.tokenizer().isSpecial(choice.id()) ? "" : served.tokenizer().tokenText(choice.id()));
    }

    private void finish(CanvasPlan plan) {
      int[] ids = process.replyIds();
      var reason = process.finishReason().orElseThrow();
      var usage = new Usage(plan.promptPositions(), plan.visualPositions(),
          ids.length - request.decoding().suffix().length, process.forwards(),
          new Seconds(secondsSince(startNanos), promptSeconds, visualSeconds, queueSeconds, forwardSeconds,
              policySeconds));
      metrics.finished(reason, usage);
      var text = served.tokenizer().decodeWithoutSpecial(ids);
      grow(stableText.rest(text), process.forwards());
      events.accept(new Finished(reason, text, ids, Arrays.copyOf(confidences, usage.generatedTokens()),
          Arrays.copyOf(commitSteps, usage.generatedTokens()), usage));
    }

    private void requireCanvas(CanvasPlan plan) {
      var decoding = request.decoding();
      int positions = plan.promptPositions() + decoding.genLength() + decoding.suffix().length;
      if (positions > canvasPositionsMax) {
        throw new ServiceException.LimitExceeded("canvas-positions-max",
            "messages: %d positions of prompt, reply and suffix (expected: at most %d, canvas-positions-max)"
                .formatted(positions, canvasPositionsMax));
      }
    }

    private int maskId() {
      return served.maskId();
    }
  }

  /// Ends the work of a client that has gone, or whose deadline has passed.
  private static void requireClient() {
    if (Context.current().isCancelled()) {
      throw new CancellationException("the client has gone");
    }
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }
}
