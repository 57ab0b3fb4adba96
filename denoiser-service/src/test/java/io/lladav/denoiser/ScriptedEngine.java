package io.lladav.denoiser;

import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.LogitBias;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/// An engine whose candidate at a position is the position itself, and whose steps can be held back, slice by slice.
final class ScriptedEngine implements DenoiserEngine {
  static final int HIDDEN_SIZE = 4;
  static final int VOCABULARY_SIZE = 100;
  static final int MASK_ID = 90;

  /// Confidence and certainty of every candidate.
  static final float CONFIDENCE = 0.5f;
  static final float CERTAINTY = -0.25f;

  /// One permit lets one slice through, once [#holdBack] was called; what is not cut is one slice.
  final Semaphore gate = new Semaphore(0);
  final Semaphore begun = new Semaphore(0);
  final AtomicInteger stepsRun = new AtomicInteger();
  final AtomicInteger openSessions = new AtomicInteger();
  final List<ScriptedSession> sessions = new CopyOnWriteArrayList<>();
  final List<StepWork> works = new CopyOnWriteArrayList<>();
  final List<List<StepWork>> batches = new CopyOnWriteArrayList<>();
  /// Every slice that has begun: the index of its batch, and which of how many it is.
  final List<String> slices = new CopyOnWriteArrayList<>();
  private volatile boolean heldBack;
  private volatile long sliceRows = Long.MAX_VALUE;

  void holdBack() {
    heldBack = true;
  }

  void cutInto(long rows) {
    sliceRows = rows;
  }

  /// Forgets what has run, such as the first step of a process; for when nothing runs.
  void forget() {
    begun.drainPermits();
    sessions.clear();
    works.clear();
    batches.clear();
    slices.clear();
  }

  @Override
  public EngineIdentity identity() {
    return new EngineIdentity("scripted", "fp32", "1");
  }

  @Override
  public int hiddenSize() {
    return HIDDEN_SIZE;
  }

  @Override
  public int vocabularySize() {
    return VOCABULARY_SIZE;
  }

  @Override
  public long sessionBytes(CanvasLayout layout) {
    return (long) Float.BYTES * layout.length() * hiddenSize() * (layout.guided() ? 2 : 1)
        * (layout.cache() instanceof Cache.None ? 1 : 10);
  }

  @Override
  public DenoiserSession open(CanvasLayout layout) {
    var session = new ScriptedSession(layout);
    openSessions.incrementAndGet();
    sessions.add(session);
    return session;
  }

  @Override
  public List<StepResult> run(List<StepWork> batch, Runnable betweenSlices) {
    batches.add(batch);
    var index = batches.size() - 1;
    var sliceCount = Math.ceilDiv(batch.stream().mapToLong(StepWork::rows).sum(), sliceRows);
    for (int slice = 0; slice < sliceCount; slice++) {
      if (slice > 0) {
        betweenSlices.run();
      }
      slices.add("%d: %d/%d".formatted(index, slice + 1, sliceCount));
      begun.release();
      if (heldBack) {
        gate.acquireUninterruptibly();
      }
    }
    return batch.stream().map(this::run).toList();
  }

  @Override
  public void close() {}

  private StepResult run(StepWork work) {
    if (((ScriptedSession) work.session()).closed) {
      throw new IllegalStateException("a step of a closed session");
    }
    stepsRun.incrementAndGet();
    works.add(work);
    var confidences = new float[work.positions().length];
    Arrays.fill(confidences, CONFIDENCE);
    var certainties = new float[work.positions().length];
    Arrays.fill(certainties, CERTAINTY);
    return new StepResult(work.positions().clone(), confidences, certainties);
  }

  /// A canvas that keeps what was written.
  final class ScriptedSession implements DenoiserSession {
    final int[] ids;
    final float[] rows;
    private final CanvasLayout layout;
    volatile LogitBias logitBias = LogitBias.none();
    private volatile boolean closed;

    ScriptedSession(CanvasLayout layout) {
      this.layout = layout;
      this.ids = new int[layout.length()];
      this.rows = new float[layout.length() * HIDDEN_SIZE];
      Arrays.fill(ids, MASK_ID);
    }

    @Override
    public CanvasLayout layout() {
      return layout;
    }

    @Override
    public void writeIds(int position, int[] written) {
      System.arraycopy(written, 0, ids, position, written.length);
    }

    @Override
    public void writeEmbeddings(int position, FloatBuffer written) {
      written.duplicate().get(rows, position * HIDDEN_SIZE, written.remaining());
    }

    @Override
    public void biasLogits(LogitBias bias) {
      logitBias = bias;
    }

    @Override
    public void close() {
      if (closed) {
        throw new IllegalStateException("closed twice");
      }
      closed = true;
      openSessions.decrementAndGet();
    }
  }
}
