package io.lladav.gateway;

import io.lladav.runtime.ServiceException.Conflict;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.runtime.ServiceException.NotFound;

/// Names fields as the client knows them, where a request was made from parts of others.
final class FieldPaths {
  private FieldPaths() {}

  /// The same refusal, of a field at another path; other failures as they are.
  ///
  /// @param from where the field stands in the request that was made, for example `messages[3]`
  /// @param to where it stands in what the client sent, for example `turn`
  static RuntimeException renamed(RuntimeException failure, String from, String to) {
    return switch (failure) {
      case InvalidRequest e when begins(e.field(), from) -> new InvalidRequest(renamed(e.field(), from, to),
          renamed(String.valueOf(e.getMessage()), from, to));
      case LimitExceeded e when begins(String.valueOf(e.getMessage()), from) -> new LimitExceeded(e.limit(),
          renamed(String.valueOf(e.getMessage()), from, to));
      case NotFound e when begins(e.field(), from) -> new NotFound(renamed(e.field(), from, to),
          renamed(String.valueOf(e.getMessage()), from, to));
      case Conflict e when begins(e.field(), from) -> new Conflict(renamed(e.field(), from, to),
          renamed(String.valueOf(e.getMessage()), from, to));
      default -> failure;
    };
  }

  private static boolean begins(String text, String path) {
    return text.startsWith(path)
        && (text.length() == path.length() || ".[:".indexOf(text.charAt(path.length())) >= 0);
  }

  private static String renamed(String text, String from, String to) {
    return begins(text, from) ? to + text.substring(from.length()) : text;
  }
}
