package io.lladav.runtime;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The command line of a service process.
///
/// @param configFile the YAML file of `--config`, or null
/// @param settings values of `--set`, by key
/// @param printConfig whether to print the effective configuration and exit
record Arguments(@Nullable Path configFile, Map<String, String> settings, boolean printConfig) {
  static final String USAGE = "[--config FILE] [--set KEY=VALUE]... [--print-config]";

  /// Reads the command line.
  ///
  /// @throws ConfigException naming the unknown or incomplete argument
  static Arguments parse(List<String> args) {
    Path configFile = null;
    boolean printConfig = false;
    var settings = new LinkedHashMap<String, String>();
    var rest = args.iterator();
    while (rest.hasNext()) {
      var arg = rest.next();
      if (arg.equals("--print-config")) {
        printConfig = true;
      } else if (arg.equals("--config") && rest.hasNext()) {
        configFile = path(rest.next());
      } else if (arg.startsWith("--config=")) {
        configFile = path(arg.substring("--config=".length()));
      } else if (arg.equals("--set") && rest.hasNext()) {
        set(rest.next(), settings);
      } else {
        throw new ConfigException("argument %s (expected: %s)".formatted(arg, USAGE));
      }
    }
    return new Arguments(configFile, settings, printConfig);
  }

  private static void set(String text, Map<String, String> settings) {
    var parts = text.split("=", 2);
    if (parts.length < 2) {
      throw new ConfigException("argument --set " + text + " (expected: KEY=VALUE, such as grpc.port=7400)");
    }
    settings.put(parts[0], parts[1]);
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new ConfigException("argument --config " + text + " (expected: the path of a file)");
    }
  }
}
