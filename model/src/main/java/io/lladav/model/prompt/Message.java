package io.lladav.model.prompt;

import java.util.List;

/// One message of a dialogue.
///
/// @param role who speaks
/// @param parts what is said and shown, in order; a message of no visual and no character is left out of a prompt
public record Message(Role role, List<Part> parts) {
  public Message {
    parts = List.copyOf(parts);
  }

  /// A message of text alone.
  public static Message of(Role role, String text) {
    return new Message(role, List.of(new Part.Text(text)));
  }
}
