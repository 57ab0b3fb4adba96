package io.lladav.vision;

import io.grpc.Context;
import io.lladav.engine.VisionEngine;
import io.lladav.model.image.Picture;
import io.lladav.model.image.TileCutter;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.tensor.TensorMemory;
import io.lladav.runtime.work.Dispatcher;
import io.lladav.runtime.work.Together;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.TimeoutException;

/// Encodes the tiles of one picture one after the other, in buffers of its own outside the Java heap.
///
/// For one thread.
final class TileEncoder implements AutoCloseable {
  private final Dispatcher<Tile, FloatBuffer> dispatcher;
  private final TensorMemory memory = new TensorMemory();
  private final FloatBuffer pixels;
  private final FloatBuffer features;

  /// One tile to encode.
  ///
  /// @param request what it is encoded for
  /// @param pixels shape (3, S, S)
  /// @param features shape (patches, width), to be written
  record Tile(Context request, FloatBuffer pixels, FloatBuffer features) {}

  TileEncoder(VisionEngine engine, Dispatcher<Tile, FloatBuffer> dispatcher) {
    this.dispatcher = dispatcher;
    this.pixels = memory.floats(3L * engine.imageSize() * engine.imageSize());
    this.features = memory.floats((long) engine.patchCount() * engine.width());
  }

  /// Does what a dispatcher's batch asks, all tiles at once; the batch has more than one only where the engine likes that.
  static List<FloatBuffer> run(VisionEngine engine, List<Tile> batch) {
    return Together.map(batch, tile -> {
      tile.request()
          .run(() -> engine.encode(tile.pixels().duplicate(), 1, tile.features().duplicate()));
      return tile.features().duplicate();
    });
  }

  /// Encodes a black tile, so that the first caller does not pay for pages not read and memory not yet taken.
  ///
  /// @throws io.lladav.engine.EngineException if the engine cannot compute
  static void warmUp(VisionEngine engine) {
    try (var memory = new TensorMemory()) {
      engine.encode(memory.floats(3L * engine.imageSize() * engine.imageSize()), 1,
          memory.floats((long) engine.patchCount() * engine.width()));
    }
  }

  /// Waits for its turn and returns the tile's features, shape (patches, width), valid until the next call.
  ///
  /// @throws TimeoutException if the caller's deadline does not allow it
  FloatBuffer encode(Picture tile) throws TimeoutException {
    TileCutter.writePixels(tile, pixels.duplicate());
    return dispatcher.run(new Tile(RequestContext.apart(), pixels, features)).value();
  }

  @Override
  public void close() {
    memory.close();
  }
}
