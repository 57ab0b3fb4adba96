package io.lladav.model.image;

import java.util.HashMap;
import java.util.Map;

/// The fields of a TIFF file's first directory (TIFF 6.0, section 2). Values are read when they are asked for.
final class TiffFields {
  private static final int ENTRY_BYTES = 12;
  /// Writers put in about twenty.
  private static final int ENTRIES_MAX = 1024;
  private static final int BYTE = 1;
  private static final int SHORT = 3;
  private static final int LONG = 4;

  private final FileBytes file;
  private final boolean littleEndian;
  /// Where the entries of the directory begin, by tag.
  private final Map<Integer, Integer> entries = new HashMap<>();

  private TiffFields(FileBytes file) {
    this.file = file;
    this.littleEndian = file.has(0, "II");
  }

  /// Reads the first directory.
  ///
  /// @throws IndexOutOfBoundsException if it does not lie within the file
  static TiffFields open(FileBytes file) {
    var fields = new TiffFields(file);
    long start = fields.u32(4);
    if (start > file.length()) {
      throw PictureException.undecodable("TIFF without a directory");
    }
    int count = fields.u16((int) start);
    if (count > ENTRIES_MAX) {
      throw PictureException.undecodable("TIFF of " + count + " fields (expected: 1.." + ENTRIES_MAX + ")");
    }
    for (int i = 0; i < count; i++) {
      int at = (int) start + 2 + ENTRY_BYTES * i;
      fields.entries.putIfAbsent(fields.u16(at), at);
    }
    return fields;
  }

  /// Whether the less significant byte of a number comes first, which holds for 16-bit samples too.
  boolean littleEndian() {
    return littleEndian;
  }

  boolean has(int tag) {
    return entries.containsKey(tag);
  }

  /// How many values a field has; 0 if the file does not have the field.
  int count(int tag) {
    if (!has(tag)) {
      return 0;
    }
    int entry = entry(tag);
    long count = u32(entry + 4);
    if (count * bytes(entry) > file.length()) {
      throw PictureException.undecodable("TIFF field " + tag + " of " + count + " values");
    }
    return (int) count;
  }

  /// One value of a field, 0..2^32-1.
  long value(int tag, int index) {
    int entry = entry(tag);
    if (index >= count(tag)) {
      throw PictureException.undecodable("TIFF field " + tag + " has no value " + index);
    }
    int at = place(tag) + index * bytes(entry);
    return switch (bytes(entry)) {
      case 1 -> file.u8(at);
      case 2 -> u16(at);
      default -> u32(at);
    };
  }

  /// The first value of a field that may be missing.
  long valueOr(int tag, long otherwise) {
    return count(tag) == 0 ? otherwise : value(tag, 0);
  }

  /// Where the values of a field lie, all of them within the file.
  int place(int tag) {
    int entry = entry(tag);
    long length = (long) count(tag) * bytes(entry);
    long place = length <= 4 ? entry + 8L : u32(entry + 8);
    if (place + length > file.length()) {
      throw PictureException.undecodable("TIFF field " + tag + " beyond the end of the file");
    }
    return (int) place;
  }

  private int entry(int tag) {
    Integer entry = entries.get(tag);
    if (entry == null) {
      throw PictureException.undecodable("TIFF without field " + tag);
    }
    return entry;
  }

  private int bytes(int entry) {
    int type = u16(entry + 2);
    return switch (type) {
      // 7 is a row of bytes with a meaning of their own.
      case BYTE, 7 -> 1;
      case SHORT -> 2;
      case LONG -> 4;
      default -> throw PictureException.undecodable(
          "TIFF field " + u16(entry) + " of type " + type + " (expected: BYTE, SHORT, LONG or UNDEFINED)");
    };
  }

  private int u16(int at) {
    return littleEndian ? file.u16le(at) : file.u16be(at);
  }

  private long u32(int at) {
    return Integer.toUnsignedLong(littleEndian ? file.s32le(at) : file.s32be(at));
  }
}
