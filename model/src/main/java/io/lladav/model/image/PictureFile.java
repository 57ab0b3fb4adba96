package io.lladav.model.image;

import java.io.IOException;

/// A picture file whose header has been read.
interface PictureFile {
  /// What the header says.
  PictureHeader header();

  /// Decodes the pixels. Throws IOException or any RuntimeException if the file is damaged.
  Picture decode() throws IOException;

  /// Checks the numbers of a header.
  ///
  /// @throws PictureException of kind UNDECODABLE if a side is not positive
  static PictureHeader header(PictureFormat format, int width, int height) {
    if (width < 1 || height < 1) {
      throw PictureException.undecodable(format + " of " + width + "x" + height + " pixels");
    }
    return new PictureHeader(format, width, height);
  }
}
