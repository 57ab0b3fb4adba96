package io.lladav.model.image;

import java.io.IOException;

/// What an animation shows, frame after frame.
interface AnimationCanvas {
  /// Draws the next frame upon what the one before has left and returns the whole canvas.
  ///
  /// @return red, green and blue of each pixel, rows from top to bottom; changed by the next call
  /// @throws IOException or any RuntimeException if the frame is damaged or missing
  byte[] next() throws IOException;
}
