package io.lladav.runtime;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The command line of a service process.
///
/// @param configFile the YAML file of `--config`, or null
/// @param printConfig whether to print the effective configuration and exit
record Arguments(@Nullable Path configFile, boolean printConfig) {
  static final String USAGE = "[--config FILE] [--print-config]";

  /// Reads the command line.
  ///
  /// @throws ConfigException naming the unknown or incomplete argument
  static Arguments parse(List<String> args) {
    Path configFile = null;
    boolean printConfig = false;
    var rest = args.iterator();
    while (rest.hasNext()) {
      var arg = rest.next();
      if (arg.equals("--print-config")) {
        printConfig = true;
      } else if (arg.equals("--config") && rest.hasNext()) {
        configFile = path(rest.next());
      } else if (arg.startsWith("--config=")) {
        configFile = path(arg.substring("--config=".length()));
      } else {
        throw new ConfigException("argument %s (expected: %s)".formatted(arg, USAGE));
      }
    }
    return new Arguments(configFile, printConfig);
  }

  private static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new ConfigException("argument --config " + text + " (expected: the path of a file)");
    }
  }
}
