package io.lladav.model.prompt;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The byte-level alphabet of GPT-2's vocabulary files: every byte is written as one printable character, bytes
/// that print as themselves and the others as U+0100, U+0101, … in ascending order.
final class ByteLevel {
  private static final int NOT_IN_ALPHABET = -1;
  private static final int[] BYTE_BY_CHAR = byteByChar();

  private ByteLevel() {}

  /// Returns the bytes a vocabulary entry stands for; an entry outside the alphabet stands for its own UTF-8.
  static byte[] bytes(String vocabularyEntry) {
    var bytes = new byte[vocabularyEntry.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = vocabularyEntry.charAt(i);
      if (c >= BYTE_BY_CHAR.length || BYTE_BY_CHAR[c] == NOT_IN_ALPHABET) {
        return vocabularyEntry.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTE_BY_CHAR[c];
    }
    return bytes;
  }

  private static int[] byteByChar() {
    var table = new int[512];
    Arrays.fill(table, NOT_IN_ALPHABET);
    int next = 256;
    for (int b = 0; b < 256; b++) {
      table[printsAsItself(b) ? b : next++] = b;
    }
    return table;
  }

  private static boolean printsAsItself(int b) {
    return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
  }
}
