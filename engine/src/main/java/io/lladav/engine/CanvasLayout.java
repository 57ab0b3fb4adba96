package io.lladav.engine;

/// The parts of a canvas: prompt, generated part, suffix; N positions in all.
///
/// @param promptLength positions of the prompt (P), text and visual; at least 1
/// @param generatedLength positions to generate (G); at least 1
/// @param suffixLength positions of fixed text after the generated part
/// @param guided whether steps may ask for guidance, which costs a second canvas
/// @param attention which positions see which
/// @param cache what is kept from one forward for later ones
public record CanvasLayout(int promptLength, int generatedLength, int suffixLength, boolean guided,
    AttentionMode attention, Cache cache) {
  /// The longest canvas any engine accepts.
  public static final int LENGTH_MAX = 1 << 18;

  public CanvasLayout {
    requireRange("promptLength", promptLength, 1);
    requireRange("generatedLength", generatedLength, 1);
    requireRange("suffixLength", suffixLength, 0);
    int length = promptLength + generatedLength + suffixLength;
    requireRange("canvas length", length, 2);
    if (attention instanceof AttentionMode.DialogueCausal(int[] turns) && turns.length != length) {
      throw new IllegalArgumentException("turnOfPosition: %s entries (expected: %s, one per position)"
          .formatted(turns.length, length));
    }
    if (cache instanceof Cache.Features(int transferCount)
        && transferCount > generatedLength + suffixLength) {
      throw new IllegalArgumentException(
          "transferCount: %s (expected: 0..%s, the positions behind the prompt)"
              .formatted(transferCount, generatedLength + suffixLength));
    }
  }

  /// Returns N, the number of positions.
  public int length() {
    return promptLength + generatedLength + suffixLength;
  }

  private static void requireRange(String field, int value, int least) {
    if (value < least || value > LENGTH_MAX) {
      throw new IllegalArgumentException(
          "%s: %s (expected: %s..%s)".formatted(field, value, least, LENGTH_MAX));
    }
  }
}
