package io.lladav.model.image;

/// Where the strips or tiles of a TIFF file lie.
final class TiffPieces {
  private final FileBytes file;
  private final TiffFields fields;
  private final TiffLayout layout;

  /// @throws PictureException of kind UNDECODABLE if the pieces together are longer than the file: the same bytes read
  ///     again and again would take time without end
  TiffPieces(FileBytes file, TiffFields fields, TiffLayout layout) {
    this.file = file;
    this.fields = fields;
    this.layout = layout;
    long sum = 0;
    for (int i = 0; i < fields.count(layout.byteCounts()); i++) {
      sum += fields.value(layout.byteCounts(), i);
    }
    if (sum > file.length()) {
      throw PictureException.undecodable("TIFF strips or tiles of " + sum + " bytes in a file of "
          + file.length());
    }
  }

  /// Where a piece begins.
  int place(int index) {
    long place = fields.value(layout.offsets(), index);
    if (place > file.length()) {
      throw PictureException.undecodable("TIFF strip or tile beyond the end of the file");
    }
    return (int) place;
  }

  /// How many bytes a piece has in the file.
  int length(int index) {
    long length = fields.value(layout.byteCounts(), index);
    if (place(index) + length > file.length()) {
      throw PictureException.undecodable("TIFF strip or tile beyond the end of the file");
    }
    return (int) length;
  }
}
