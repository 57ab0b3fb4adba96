package io.lladav.model.prompt;

import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.PrimitiveIterator;
import java.util.stream.IntStream;

/// Private-use characters that stand in a prompt, while the template is rendered, for what must not be there then:
/// strings that look like special tokens, and visuals. Each occurs in none of the texts around it.
final class Placeholders {
  private final PrimitiveIterator.OfInt unused;
  private final Map<String, Integer> placeholderByText = new HashMap<>();
  private final Map<Integer, String> textByPlaceholder = new HashMap<>();
  private final Map<Integer, Integer> visualByPlaceholder = new HashMap<>();

  /// @param texts everything that may be rendered together with the placeholders
  Placeholders(Collection<String> texts) {
    var taken = new BitSet();
    texts.forEach(text -> text.codePoints().forEach(taken::set));
    unused = IntStream.rangeClosed(0xE000, Character.MAX_CODE_POINT)
        .filter(c -> Character.getType(c) == Character.PRIVATE_USE && !taken.get(c))
        .iterator();
  }

  /// Returns what stands for a text, the same for equal texts.
  String forText(String text) {
    int placeholder = placeholderByText.computeIfAbsent(text, _ -> next());
    textByPlaceholder.put(placeholder, text);
    return Character.toString(placeholder);
  }

  /// Returns what stands for a visual.
  String forVisual(int index) {
    int placeholder = next();
    visualByPlaceholder.put(placeholder, index);
    return Character.toString(placeholder);
  }

  /// Returns which visual the character stands for.
  OptionalInt visual(int codePoint) {
    var index = visualByPlaceholder.get(codePoint);
    return index == null ? OptionalInt.empty() : OptionalInt.of(index);
  }

  /// Appends what the character stands for: a text, or the character itself.
  void restore(int codePoint, StringBuilder target) {
    var text = textByPlaceholder.get(codePoint);
    if (text == null) {
      target.appendCodePoint(codePoint);
    } else {
      target.append(text);
    }
  }

  private int next() {
    if (!unused.hasNext()) {
      throw new IllegalArgumentException(
          "text: holds every private-use character (expected: some left unused)");
    }
    return unused.nextInt();
  }
}
