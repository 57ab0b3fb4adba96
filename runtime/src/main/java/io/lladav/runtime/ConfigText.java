package io.lladav.runtime;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The written form of configuration values: text to typed value and back.
final class ConfigText {
  private static final Pattern SHORT_DURATION = Pattern.compile("(\\d{1,15})(ms|s|m|h|d)");

  private ConfigText() {}

  /// Reads a value of the given type.
  ///
  /// @throws IllegalArgumentException whose message says what is expected, without the value
  static Object parse(Class<?> type, String text) {
    try {
      return parseAs(type, text.strip());
    } catch (ConfigException e) {
      throw e;
    } catch (IllegalArgumentException | DateTimeParseException e) {
      throw new ConfigException(expected(type));
    }
  }

  private static Object parseAs(Class<?> type, String text) {
    if (type == int.class) {
      return Integer.parseInt(text);
    }
    if (type == long.class) {
      return Long.parseLong(text);
    }
    if (type == double.class) {
      return Double.parseDouble(text);
    }
    if (type == boolean.class) {
      return parseBoolean(text);
    }
    if (type == Path.class) {
      return Path.of(text);
    }
    if (type == Duration.class) {
      return parseDuration(text);
    }
    if (type == URI.class) {
      return URI.create(text);
    }
    if (type == List.class) {
      return splitList(text);
    }
    return type.isEnum() ? parseEnum(type, text) : text;
  }

  private static boolean parseBoolean(String text) {
    return switch (text) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new ConfigException(expected(boolean.class));
    };
  }

  private static Duration parseDuration(String text) {
    var match = SHORT_DURATION.matcher(text);
    if (!match.matches()) {
      return Duration.parse(text);
    }
    long amount = Long.parseLong(match.group(1));
    return switch (match.group(2)) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMinutes(amount);
      case "h" -> Duration.ofHours(amount);
      default -> Duration.ofDays(amount);
    };
  }

  private static List<String> splitList(String text) {
    return Stream.of(text.split(",", -1)).map(String::strip).filter(part -> !part.isEmpty()).toList();
  }

  private static Object parseEnum(Class<?> type, String text) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> format(constant).equals(text.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() -> new ConfigException(expected(type)));
  }

  /// What a value of the given type looks like, in words.
  static String expected(Class<?> type) {
    if (type == int.class) {
      return "an integer, -2147483648..2147483647";
    }
    if (type == long.class) {
      return "an integer, -2^63..2^63-1";
    }
    if (type == double.class) {
      return "a number";
    }
    if (type == boolean.class) {
      return "true or false";
    }
    if (type == Duration.class) {
      return "a duration such as 500ms, 30s, 5m or PT0.5S";
    }
    if (type.isEnum()) {
      return Arrays.stream(type.getEnumConstants()).map(ConfigText::format).collect(Collectors.joining(", "));
    }
    if (type.isRecord()) {
      return "a group of keys";
    }
    return type == List.class ? "a list of texts" : "a " + type.getSimpleName();
  }

  /// Writes a value so that [#parse] reads it back equal.
  static String format(Object value) {
    return switch (value) {
      case Duration duration -> formatDuration(duration);
      case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
      default -> value.toString();
    };
  }

  private static String formatDuration(Duration duration) {
    if (duration.isNegative() || duration.getNano() % 1_000_000 != 0) {
      return duration.toString();
    }
    return duration.getNano() == 0 ? duration.getSeconds() + "s" : duration.toMillis() + "ms";
  }
}
