package io.lladav.model.image;

/// What the samples of a TIFF file mean, and how Pillow makes RGB of them.
sealed interface TiffColours {
  /// How many samples of a pixel take part; further ones are dropped.
  int channels();

  /// A sample as the level that takes part in the colour: its highest 8 bits, unless the kind says otherwise.
  ///
  /// @param sample 0..2^bits-1
  /// @param bits 8 or 16; of gray and palette also 1, 2 and 4
  default int level(int sample, int bits) {
    return sample >> (bits - 8);
  }

  /// Writes red, green and blue of one pixel.
  ///
  /// @param levels of the pixel's samples, from `at` on
  void put(byte[] levels, int at, byte[] rgb, int out);

  /// Gray. 16 bits are clipped at 255 rather than scaled, and never inverted, as Pillow converts its mode I;16.
  ///
  /// @param whiteIsZero whether the lowest sample is white
  record Gray(boolean whiteIsZero) implements TiffColours {
    @Override
    public int channels() {
      return 1;
    }

    @Override
    public int level(int sample, int bits) {
      if (bits == 16) {
        return Math.min(sample, 255);
      }
      int level = sample * 255 / ((1 << bits) - 1);
      return whiteIsZero ? 255 - level : level;
    }

    @Override
    public void put(byte[] levels, int at, byte[] rgb, int out) {
      rgb[out] = levels[at];
      rgb[out + 1] = levels[at];
      rgb[out + 2] = levels[at];
    }
  }

  /// Indices into a table of colours. Never compared.
  ///
  /// @param table red of each index, then green, then blue
  @SuppressWarnings("ArrayRecordComponent")
  record Palette(byte[] table) implements TiffColours {
    @Override
    public int channels() {
      return 1;
    }

    @Override
    public int level(int sample, int bits) {
      return sample;
    }

    @Override
    public void put(byte[] levels, int at, byte[] rgb, int out) {
      int index = levels[at] & 0xff;
      for (int channel = 0; channel < 3; channel++) {
        rgb[out + channel] = table[channel * table.length / 3 + index];
      }
    }
  }

  /// Red, green and blue.
  record Rgb() implements TiffColours {
    @Override
    public int channels() {
      return 3;
    }

    @Override
    public void put(byte[] levels, int at, byte[] rgb, int out) {
      System.arraycopy(levels, at, rgb, out, 3);
    }
  }

  /// Red, green and blue that were multiplied by the alpha behind them, which is undone.
  record PremultipliedRgb() implements TiffColours {
    @Override
    public int channels() {
      return 4;
    }

    @Override
    public void put(byte[] levels, int at, byte[] rgb, int out) {
      int alpha = levels[at + 3] & 0xff;
      for (int channel = 0; channel < 3; channel++) {
        int level = levels[at + channel] & 0xff;
        rgb[out + channel] = (byte) (alpha == 0 ? 0 : Math.min(level * 255 / alpha, 255));
      }
    }
  }

  /// Cyan, magenta, yellow and black.
  record Cmyk() implements TiffColours {
    @Override
    public int channels() {
      return 4;
    }

    @Override
    public void put(byte[] levels, int at, byte[] rgb, int out) {
      int light = 255 - (levels[at + 3] & 0xff);
      for (int ink = 0; ink < 3; ink++) {
        rgb[out + ink] = InkPixels.lit(levels[at + ink] & 0xff, light);
      }
    }
  }
}
