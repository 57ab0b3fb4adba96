package io.lladav.gateway;

import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.grpc.Context;
import io.lladav.decoding.Choice;
import io.lladav.decoding.ReplayLog;
import io.lladav.decoding.ReplayLog.Replay;
import io.lladav.decoding.Step;
import io.lladav.internal.denoiser.v1.StepPolicy;
import io.lladav.model.prompt.PromptSegment.VisualSlot;
import io.lladav.v1.ModelIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/// Keeps one generation supplied with answers, whichever denoiser gives them.
///
/// A step is a pure function of prompt, canvas, numbers and the steps that filled the session's cache, all of which stay
/// in the gateway. So when a session breaks, or its denoiser drains, another one is opened with the prompt and the canvas
/// as it stood at the last full forward; the steps that made the cache what it was are asked again, then the one that
/// was not answered: the reply goes on with the same ids. Before a full forward nothing is asked again. Overload refuses
/// a reply that has not begun; one that has waits, since it would else be lost. Used by one thread.
final class DenoiserLink implements AutoCloseable {
  private static final Duration FIRST_WAIT = Duration.ofMillis(100);
  private static final double WAIT_GROWTH = 1.5;
  private static final Duration WAIT_MAX = Duration.ofSeconds(2);

  private final Backends backends;
  private final VisualStream visualStream;
  private final ModelIdentity model;
  private final GenerationRequest request;
  private final CanvasPlan plan;
  private final List<byte[]> digests;
  private final VisualListener listener;
  private final Duration failoverTime;
  private final int stepsPerCall;
  private final ReplayLog log;
  private final List<List<Choice>> commits = new ArrayList<>();
  private final List<Choice> unsent = new ArrayList<>();
  private @Nullable DenoiserSession session;
  private boolean begun;

  /// @param model the identity every denoiser of this generation must have
  /// @param digests content digest of each visual, by its index
  /// @param failoverTime how long to look for another denoiser, or for the services that feed it
  /// @param stepsPerCall steps a denoiser may run when it is asked for one; 1 if the random numbers are not those of the
  ///     settings' seed
  /// @param listener told about each visual whose embeddings have arrived
  DenoiserLink(Backends backends, VisualStream visualStream, ModelIdentity model, GenerationRequest request,
      CanvasPlan plan, List<byte[]> digests, Duration failoverTime, int stepsPerCall,
      VisualListener listener) {
    this.backends = backends;
    this.visualStream = visualStream;
    this.model = model;
    this.request = request;
    this.plan = plan;
    this.digests = digests;
    this.listener = listener;
    this.failoverTime = failoverTime;
    this.stepsPerCall = stepsPerCall;
    this.log = new ReplayLog(request.decoding().draft());
  }

  /// Told about visuals that have reached the denoiser.
  @FunctionalInterface
  interface VisualListener {
    /// @param visual index of the visual
    /// @param tileDigests SHA-256 of each tile's RGB bytes, in tile order
    void encoded(int visual, List<byte[]> tileDigests);
  }

  /// Opens the first session and brings the prompt there.
  ///
  /// @throws BackendException if no denoiser can be had within the failover time, or one is overloaded
  void open() throws Exception {
    retry(() -> {
      if (session == null) {
        session = openSession(new Replay(request.decoding().draft().choices(), List.of(), List.of()));
      }
      return true;
    });
    begun = true;
  }

  /// Asks for one step's candidates.
  ///
  /// @throws BackendException if no denoiser can be had within the failover time
  DenoiserSession.Answer run(Step step) throws Exception {
    leaveDrainingDenoiser(step);
    return retry(() -> {
      var current = session == null ? openSession(log.before(step)) : session;
      session = current;
      var answer = current.run(step, List.copyOf(unsent), stepsPerCall);
      unsent.clear();
      log.answered(step);
      return answer;
    });
  }

  /// Notes what the step just answered has made final, for the next step and for sessions to come.
  void commit(List<Choice> choices) {
    log.committed(choices);
    unsent.addAll(choices);
    commits.add(choices);
  }

  @Override
  public void close() {
    var current = session;
    session = null;
    if (current != null) {
      current.close();
    }
  }

  private <T> T retry(Callable<T> attempt) throws Exception {
    return Retry.of("denoiser", retryUntilFound()).executeCallable(() -> {
      try {
        return attempt.call();
      } catch (BackendException e) {
        close();
        throw e;
      }
    });
  }

  private void leaveDrainingDenoiser(Step next) throws InterruptedException {
    var current = session;
    if (current == null || !current.isDraining()) {
      return;
    }
    try {
      session = openSession(log.before(next));
      current.close();
    } catch (BackendException _) {
      // Nobody else takes it yet; the draining one still answers for its grace period.
    }
  }

  private Optional<StepPolicy> policy() {
    return stepsPerCall == 1
        ? Optional.empty()
        : Optional.of(StepPolicies.of(request.decoding(), request.provisional(), commits));
  }

  private DenoiserSession openSession(Replay replay) throws InterruptedException {
    var opened = DenoiserSession.open(backends);
    try {
      var missing = opened.begin(model, request, plan, digests, replay.canvas(), policy());
      if (session != null) {
        opened.requireStaying();
      }
      for (int segment : missing) {
        sendVisual(opened, segment);
      }
      for (var again : replay.steps()) {
        opened.run(again.step(), again.committed(), 1);
      }
      unsent.clear();
      unsent.addAll(replay.committed());
      return opened;
    } catch (RuntimeException | InterruptedException e) {
      opened.close();
      throw e;
    }
  }

  private void sendVisual(DenoiserSession opened, int segment) throws InterruptedException {
    if (!(plan.prompt().segments().get(segment) instanceof VisualSlot(int index, _))) {
      throw new IllegalStateException("denoiser-service asked for embeddings of text segment " + segment);
    }
    var tileDigests = visualStream.run(request.visuals().get(index), plan.plans().get(index),
        rows -> opened.sendEmbeddings(segment, rows));
    listener.encoded(index, tileDigests);
  }

  /* By the clock, not by a number of attempts: one attempt may fail at once or take a whole step timeout. */
  private RetryConfig retryUntilFound() {
    var lost = new Stopwatch();
    return RetryConfig.custom()
        .maxAttempts(Integer.MAX_VALUE)
        .intervalFunction(IntervalFunction.ofExponentialBackoff(FIRST_WAIT, WAIT_GROWTH, WAIT_MAX))
        .retryOnException(failure -> failure instanceof BackendException backend && isPassing(backend)
            && !Context.current().isCancelled() && lost.elapsed().compareTo(failoverTime) < 0)
        .build();
  }

  private boolean isPassing(BackendException failure) {
    return failure.isPassing() || (begun && failure.isOverloaded());
  }

  /// Time since it was first asked. Used by one thread.
  private static final class Stopwatch {
    private @Nullable Long startNanos;

    Duration elapsed() {
      long now = System.nanoTime();
      if (startNanos == null) {
        startNanos = now;
      }
      return Duration.ofNanos(now - startNanos);
    }
  }
}
