package io.lladav.model.image;

/// A GIF file (GIF89a specification), read up to its first frame.
///
/// @param header size of the logical screen, or of what the first frame covers of the plane if that is more
/// @param frame the first frame
record GifFile(FileBytes file, PictureHeader header, GifFrame frame) implements PictureFile, AnimationFile {
  static GifFile open(FileBytes file) {
    GifFrame frame = GifFrame.first(file)
        .orElseThrow(() -> PictureException.undecodable("GIF without a frame"));
    int width = Math.max(file.u16le(6), frame.left() + frame.width());
    int height = Math.max(file.u16le(8), frame.top() + frame.height());
    return new GifFile(file, PictureFile.header(PictureFormat.GIF, width, height), frame);
  }

  @Override
  public Picture decode() {
    return new Picture(header.width(), header.height(), canvas().next());
  }

  @Override
  public int frameCount() {
    int count = 1;
    for (var next = frame.next(); next.isPresent(); next = next.get().next()) {
      count++;
    }
    return count;
  }

  @Override
  public GifCanvas canvas() {
    // The background is an index of the file's own palette.
    int background = (file.u8(10) & 0x80) == 0 ? 0 : file.u8(11);
    return new GifCanvas(header.width(), header.height(), frame, background);
  }
}
