package io.lladav.cli;

import io.grpc.StatusRuntimeException;
import io.lladav.cli.conformance.GoldenException;
import io.lladav.cli.eval.EvaluationException;
import io.lladav.cli.json.JsonException;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The command `lladav`.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "lladav", description = "Serves LLaDA-V, a multimodal masked-diffusion language model.",
    mixinStandardHelpOptions = true, version = "lladav 0.1.0", synopsisSubcommandLabel = "COMMAND",
    subcommands = {
        DemoCommand.class, ServeCommand.class, AskCommand.class, ChatCommand.class, ConformanceCommand.class,
        EvalCommand.class, InspectCommand.class, BenchCommand.class, CommandLine.HelpCommand.class})
// @formatter:on
public final class Main {
  private Main() {}

  /// Runs one command and exits: 0 if it did what was asked, 1 if not, 2 if it was not understood.
  public static void main(String[] arguments) {
    /* A service that is run in this process logs as services do. */
    if (!List.of(arguments).contains("serve")) {
      System.setProperty("logback.configurationFile", "command-logback.xml");
    }
    System.exit(commandLine().execute(arguments));
  }

  /// The parser, with complaints of one line.
  static CommandLine commandLine() {
    var line = new CommandLine(new Main());
    Objects.requireNonNull(line.getSubcommands().get("serve")).setStopAtPositional(true);
    line.getSubcommands().values().forEach(command -> command.setUsageHelpAutoWidth(true));
    line.setExecutionExceptionHandler((failure, command, _) -> {
      if (failure instanceof InterruptedException) {
        return 1;
      }
      command.getErr().println("lladav: " + complaint(failure));
      return 1;
    });
    return line;
  }

  private static String complaint(Exception failure) {
    return switch (failure) {
      case StatusRuntimeException e -> status(e);
      case ClusterException _,CheckpointException _,GoldenException _,EvaluationException _,JsonException _ ->
        String.valueOf(failure.getMessage());
      case NoSuchFileException e -> e.getMessage() + ": there is no such file";
      case IOException e -> e.toString();
      default -> throw new IllegalStateException(failure);
    };
  }

  /// The code of a failed call and why; below UNAVAILABLE lies more: a refused connection names the address.
  static String status(StatusRuntimeException failure) {
    var status = failure.getStatus();
    var causes = Stream.iterate(status.getCause(), Objects::nonNull, Throwable::getCause)
        .map(cause -> String.valueOf(cause.getMessage()));
    return status.getCode() + ": " + Stream.concat(Stream.ofNullable(status.getDescription()), causes)
        .distinct().collect(Collectors.joining(": "));
  }
}
