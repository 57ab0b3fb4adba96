package io.lladav.engine.triton;

import io.lladav.engine.EngineException;
import io.lladav.triton.CallSettings;
import io.lladav.triton.InferRequest;
import io.lladav.triton.InferResponse;
import io.lladav.triton.TritonClient;
import io.lladav.triton.TritonException;
import io.lladav.triton.TritonStream;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One model on one Triton Inference Server: asks it, watches by a tiny inference whether it answers, and has it loaded
/// again when its process has died, which Triton itself neither notices nor mends.
///
/// Safe for use by many threads at once.
final class TritonBackend implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TritonBackend.class);

  private final TritonClient client;
  private final TritonSettings settings;
  private final String model;
  private final Probe probe;
  private final BackendListener listener;
  private final Supplier<Optional<ServedRequest>> requests;
  /// Streams that are open. One whose model's process has died may be told nothing of it, for ever.
  private final Set<TritonStream> streams = ConcurrentHashMap.newKeySet();
  private final RepairBudget repairs;
  /// A permit says: look now.
  private final Semaphore suspicions = new Semaphore(0);
  private final Thread watch;
  private volatile boolean closed;
  /// What is wrong with the model, as far as is known; empty while it answers.
  private volatile String away = "";
  /// Whether it was unloaded here, and has not answered since. Like what follows it belongs to the thread that watches.
  private boolean unloadedHere;
  private String loadFailure = "";
  /// Who the model was when it was first asked.
  private Optional<TritonIdentity> first = Optional.empty();

  /// Asks the model something tiny.
  interface Probe {
    /// Returns what the model says of itself.
    ///
    /// @throws TritonException if it does not answer
    TritonIdentity ask(TritonClient client, CallSettings settings);
  }

  /// Connects, and does not yet watch.
  ///
  /// @param requests the request that the current thread works for
  TritonBackend(TritonSettings settings, String model, Probe probe, BackendListener listener,
      Supplier<Optional<ServedRequest>> requests) {
    this.settings = settings;
    this.model = model;
    this.probe = probe;
    this.listener = listener;
    this.requests = requests;
    this.client = TritonClient.open(settings.client());
    this.repairs = new RepairBudget(settings.repairsMax(), settings.repairWindow(), settings.probeInterval(),
        System::nanoTime);
    this.watch = Thread.ofVirtual().name("triton-" + model).unstarted(this::watch);
  }

  TritonSettings settings() {
    return settings;
  }

  TritonClient client() {
    return client;
  }

  String model() {
    return model;
  }

  /// Asks the model who it is; has it loaded if the server does not have it.
  ///
  /// @throws EngineException if it cannot be had, saying what to do
  TritonIdentity identity() {
    var identity = found();
    first = Optional.of(identity);
    return identity;
  }

  private TritonIdentity found() {
    try {
      if (!client.isModelReady(model, "")) {
        client.load(model, loading());
      }
      return ask();
    } catch (TritonException.BackendDead _) {
      return revived();
    } catch (TritonException e) {
      LOG.atWarn().addKeyValue("model", model).addKeyValue("target", settings.target())
          .addKeyValue("detail", e.detail()).log("triton_unusable");
      throw new EngineException(
          "triton.target %s: model %s: %s; is the server running, with the models of deploy/triton?"
              .formatted(settings.target(), model, e.getMessage()),
          e);
    }
  }

  /// Begins to watch.
  void start() {
    watch.start();
  }

  /// The request that the current thread works for.
  Optional<ServedRequest> served() {
    return requests.get();
  }

  /// Asks a model that answers once, for the request that the current thread works for.
  ///
  /// @throws TritonException if it does not answer; to be told to [#failed(TritonException)]
  InferResponse infer(InferRequest request) {
    var served = served();
    return client.infer(served.map(by -> by.named(request)).orElse(request), settings(served));
  }

  /// What a stream that ends early means.
  static EngineException ended(String model) {
    return new EngineException.Unavailable(
        "model %s on Triton: the stream ended without an answer".formatted(model));
  }

  /// Opens a stream. It is cancelled when the model's process is found dead.
  ///
  /// @param served what it is opened for
  TritonStream stream(Optional<ServedRequest> served) {
    var stream = client.stream(settings(served));
    streams.add(stream);
    return stream;
  }

  /// Cancels a stream.
  void cancel(TritonStream stream) {
    streams.remove(stream);
    stream.cancel();
  }

  /// Translates a failure of what the current thread works for, and has the model looked at if it may be dead.
  EngineException failed(TritonException failure) {
    return failed(failure, served());
  }

  /// Translates a failure, and has the model looked at if it may be dead.
  ///
  /// @param served what has failed
  EngineException failed(TritonException failure, Optional<ServedRequest> served) {
    if (failure instanceof TritonException.BackendDead || failure instanceof TritonException.DeadlineExceeded
        || failure instanceof TritonException.Unreachable
        || failure instanceof TritonException.ServerFailure) {
      suspect();
    }
    // Clients that go away are no failure of anybody's.
    if (!failure.detail().isEmpty() && !(failure instanceof TritonException.Cancelled)) {
      var line = LOG.atWarn().addKeyValue("model", model).addKeyValue("detail", failure.detail());
      served.map(by -> line.addKeyValue("request_id", by.id())).orElse(line).log("triton_failure");
    }
    return TritonFailures.of(model, failure, away);
  }

  @Override
  public void close() {
    closed = true;
    suspect();
    client.close();
  }

  private static CallSettings settings(Optional<ServedRequest> served) {
    return served.map(ServedRequest::settings).orElseGet(CallSettings::defaults);
  }

  private void suspect() {
    suspicions.release();
  }

  private void watch() {
    while (!closed) {
      tell(look());
      await();
    }
  }

  /// Tells of what is wrong with the model, or that nothing is, if that is news.
  private void tell(String failure) {
    if (closed || failure.equals(away)) {
      return;
    }
    boolean ready = failure.isEmpty();
    boolean changed = ready != away.isEmpty();
    away = failure;
    LOG.atInfo().addKeyValue("model", model).addKeyValue("ready", ready).addKeyValue("reason", failure)
        .log("triton");
    if (changed) {
      listener.ready().accept(ready);
    }
  }

  private void await() {
    try {
      if (suspicions.tryAcquire(settings.probeInterval().toMillis(), TimeUnit.MILLISECONDS)) {
        suspicions.drainPermits();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      closed = true;
    }
  }

  /// Tries the model, and repairs it if it is dead and that is allowed; returns what is wrong, or nothing.
  private String look() {
    try {
      var identity = ask();
      unloadedHere = false;
      return first.flatMap(identity::changeSince).orElse("");
    } catch (TritonException.BackendDead e) {
      return repair(String.valueOf(e.getMessage()), true);
    } catch (TritonException.MissingModel | TritonException.Leaving e) {
      return unloadedHere
          ? repair("its process had died, and it could not be loaded again: " + loadFailure, false)
          : String.valueOf(e.getMessage());
    } catch (RuntimeException e) {
      // Whatever it was: what is not watched any more would never come back.
      return String.valueOf(e.getMessage());
    }
  }

  private String repair(String reason, boolean dead) {
    boolean granted = repairs.take();
    // Loading may take minutes: callers go elsewhere meanwhile, and are told why.
    tell("%s; %s".formatted(reason, granted ? "it is being loaded again" : repairs.outlook()));
    streams.forEach(this::cancel);
    if (!granted) {
      return away;
    }
    try {
      reload(dead);
      repaired(true);
      return "";
    } catch (TritonException | EngineException e) {
      loadFailure = String.valueOf(e.getMessage());
      repaired(false);
      return "its process had died, and it could not be loaded again: %s; %s".formatted(loadFailure,
          repairs.outlook());
    }
  }

  private void repaired(boolean succeeded) {
    repairs.ended(succeeded);
    if (!closed) {
      listener.repaired().accept(succeeded);
    }
  }

  private TritonIdentity revived() {
    try {
      return reload(true);
    } catch (TritonException e) {
      throw TritonFailures.of(model, e, "");
    }
  }

  private TritonIdentity reload(boolean unload) {
    if (unload) {
      // Also if that call fails: it may have been carried out.
      unloadedHere = true;
      client.unload(model, loading());
      // Those that were opened meanwhile belong to the dead process as well.
      streams.forEach(this::cancel);
    }
    client.load(model, loading());
    LOG.atWarn().addKeyValue("model", model).log("triton_reloaded");
    var identity = ask();
    unloadedHere = false;
    return identity;
  }

  private TritonIdentity ask() {
    return probe.ask(client, CallSettings.defaults().withDeadline(settings.probeTimeout()));
  }

  private CallSettings loading() {
    Duration time = settings.loadTimeout();
    return CallSettings.defaults().withDeadline(time);
  }
}
