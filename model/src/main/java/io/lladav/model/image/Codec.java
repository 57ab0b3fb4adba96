package io.lladav.model.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/// Runs one of the platform's image readers over bytes in memory.
final class Codec {
  private Codec() {}

  /// What to do with a reader that has its input.
  @FunctionalInterface
  interface Work<T> {
    T with(ImageReader reader) throws IOException;
  }

  /// Runs the JDK's own reader of a format; other readers of it on the class path are passed over.
  static <T> T platform(String format, byte[] bytes, Work<T> work) throws IOException {
    for (Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format); readers.hasNext();) {
      ImageReader reader = readers.next();
      if ("java.desktop".equals(reader.getClass().getModule().getName())) {
        return run(reader, bytes, work);
      }
      reader.dispose();
    }
    throw new AssertionError("every Java platform with java.desktop reads " + format);
  }

  /// Runs a reader and disposes of it.
  static <T> T run(ImageReader reader, byte[] bytes, Work<T> work) throws IOException {
    try (ImageInputStream stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
      reader.setInput(stream, true, true);
      return work.with(reader);
    } finally {
      reader.dispose();
    }
  }
}
