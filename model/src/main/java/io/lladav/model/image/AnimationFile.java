package io.lladav.model.image;

/// An animated file whose header has been read.
interface AnimationFile {
  /// Size of the canvas.
  PictureHeader header();

  /// Counts the frames, at least 1, without decoding any.
  ///
  /// @throws PictureException of kind UNDECODABLE if the file is damaged
  /// @throws IndexOutOfBoundsException if it ends within a frame
  int frameCount();

  /// A canvas upon which nothing has been drawn.
  AnimationCanvas canvas();
}
