package io.lladav.projector;

import io.lladav.engine.EngineIdentity;
import io.lladav.engine.ProjectorEngine;
import io.lladav.runtime.RequestContext;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/// A projector that takes each feature twice, `(a, b)` to `(a, b, a, b)`, and whose tiles can be held back.
///
/// @param requests ids of the requests that tiles were projected for
/// @param gate one permit lets one tile through, once there are holders
record ScriptedProjector(List<String> requests, AtomicInteger tilesRun, Semaphore begun, Semaphore gate,
    AtomicInteger holders)
    implements
      ProjectorEngine {
  static final float NEWLINE = -1;

  ScriptedProjector() {
    this(new CopyOnWriteArrayList<>(), new AtomicInteger(), new Semaphore(0), new Semaphore(0),
        new AtomicInteger());
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
    RequestContext.current().ifPresent(request -> requests.add(request.requestId()));
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
