package io.lladav.model.image;

/// Range checks with one form of message: what was checked, its value, what was expected.
final class Expect {
  private Expect() {}

  static void inRange(String field, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(field + ": " + value + " (expected: " + min + ".." + max + ")");
    }
  }

  static void equal(String field, long value, long expected) {
    if (value != expected) {
      throw new IllegalArgumentException(field + ": " + value + " (expected: " + expected + ")");
    }
  }
}
