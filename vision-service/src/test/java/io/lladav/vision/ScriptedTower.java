package io.lladav.vision;

import io.lladav.engine.EngineIdentity;
import io.lladav.engine.VisionEngine;
import io.lladav.runtime.RequestContext;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/// A tower whose features are all the tile's first pixel, and whose tiles can be held back.
///
/// @param width of a feature; tiles have 16 patches
/// @param requests ids of the requests that tiles were encoded for
/// @param gate one permit lets one tile through, once there are holders
record ScriptedTower(int width, List<String> requests, AtomicInteger tilesRun, Semaphore begun,
    Semaphore gate,
    AtomicInteger holders)
    implements
      VisionEngine {
  ScriptedTower(int width) {
    this(width, new CopyOnWriteArrayList<>(), new AtomicInteger(), new Semaphore(0), new Semaphore(0),
        new AtomicInteger());
  }

  @Override
  public EngineIdentity identity() {
    return new EngineIdentity("scripted", "fp32", "1");
  }

  @Override
  public int patchCount() {
    return 16;
  }

  @Override
  public int imageSize() {
    return 56;
  }

  @Override
  public void encode(FloatBuffer pixels, int tileCount, FloatBuffer features) {
    RequestContext.current().ifPresent(request -> requests.add(request.requestId()));
    begun.release();
    if (holders.get() > 0) {
      gate.acquireUninterruptibly();
    }
    tilesRun.addAndGet(tileCount);
    var pixel = pixels.get(pixels.position());
    for (int i = 0; i < patchCount() * width; i++) {
      features.put(pixel);
    }
  }

  @Override
  public void close() {}
}
