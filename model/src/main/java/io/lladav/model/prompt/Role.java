package io.lladav.model.prompt;

import java.util.Locale;

/// Who speaks in a message.
public enum Role {
  /// Sets the behaviour for the whole dialogue; only at its beginning.
  SYSTEM,
  /// Asks.
  USER,
  /// What the model replied earlier.
  ASSISTANT;

  /// The name that chat templates use.
  String templateName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
