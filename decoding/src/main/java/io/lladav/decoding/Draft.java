package io.lladav.decoding;

import java.util.ArrayList;
import java.util.List;

/// What of a reply is fixed before it is denoised: ids at some of the generated positions. They are never masked, never
/// chosen and never changed; the model sees them from the first step on.
///
/// The arrays are copied in and out. Two drafts are never equal by their arrays: do not use them as keys.
///
/// @param positions generated positions, 0 = the first behind the prompt, ascending
/// @param ids one id per position, none negative
@SuppressWarnings("ArrayRecordComponent") // ids stay primitive; the copies keep the record a value
public record Draft(int[] positions, int[] ids) {
  /// Validates and copies.
  ///
  /// @throws InvalidSettingException if the arrays do not fit together, or the positions do not ascend from 0
  public Draft {
    require(ids.length == positions.length, ids.length + " ids", positions.length + ", one per position");
    for (int i = 0; i < positions.length; i++) {
      require(positions[i] > (i == 0 ? -1 : positions[i - 1]), "position " + positions[i],
          "ascending from 0");
      require(ids[i] >= 0, "id " + ids[i], "0..");
    }
    positions = positions.clone();
    ids = ids.clone();
  }

  /// Nothing is fixed.
  public static Draft none() {
    return new Draft(new int[0], new int[0]);
  }

  @Override
  public int[] positions() {
    return positions.clone();
  }

  @Override
  public int[] ids() {
    return ids.clone();
  }

  /// Whether nothing is fixed.
  public boolean isEmpty() { return positions.length == 0; }

  /// Returns the least length of a reply that has all its positions.
  public int lengthMin() {
    return isEmpty() ? 0 : positions[positions.length - 1] + 1;
  }

  /// Returns what is fixed as if it had been chosen, with certainty.
  public List<Choice> choices() {
    var choices = new ArrayList<Choice>();
    for (int i = 0; i < positions.length; i++) {
      choices.add(new Choice(positions[i], ids[i], 1));
    }
    return choices;
  }

  private static void require(boolean valid, Object value, String expected) {
    if (!valid) {
      throw new InvalidSettingException("draft", value, expected);
    }
  }
}
