package io.lladav.model.prompt;

/// How visuals are set into the text of a message.
public enum VisualPlacement {
  /// Visuals before a message's first text are joined by one space and followed by one newline, as the public
  /// evaluation code does; later ones stand where they are, with nothing added.
  LEADING,
  /// Nothing is added anywhere.
  VERBATIM
}
