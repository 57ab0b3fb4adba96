package io.lladav.projector;

import io.lladav.engine.EngineIdentity;
import io.lladav.engine.ProjectorEngine;
import java.nio.FloatBuffer;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/// A projector that takes each feature twice, `(a, b)` to `(a, b, a, b)`, and whose tiles can be held back.
///
/// @param gate one permit lets one tile through, once there are holders
record ScriptedProjector(AtomicInteger tilesRun, Semaphore begun, Semaphore gate, AtomicInteger holders)
    implements
      ProjectorEngine {
  static final float NEWLINE = -1;

  ScriptedProjector() {
    this(new AtomicInteger(), new Semaphore(0), new Semaphore(0), new AtomicInteger());
  }

  @Override
  public EngineIdentity identity() {
    return new EngineIdentity("scripted", "fp32", "1");
  }

  @Override
  public int inputWidth() {
    return 2;
  }

  @Override
  public int outputWidth() {
    return 4;
  }

  @Override
  public float[] imageNewline() {
    return new float[]{NEWLINE, NEWLINE, NEWLINE, NEWLINE};
  }

  @Override
  public void project(FloatBuffer features, int rowCount, FloatBuffer embeddings) {
    begun.release();
    if (holders.get() > 0) {
      gate.acquireUninterruptibly();
    }
    tilesRun.incrementAndGet();
    for (int i = 0; i < rowCount; i++) {
      var a = features.get();
      var b = features.get();
      embeddings.put(a).put(b).put(a).put(b);
    }
  }

  @Override
  public void close() {}
}
