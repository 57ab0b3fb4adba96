package io.lladav.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.lladav.cli.eval.DecodingChoice;
import io.lladav.cli.eval.Evaluation;
import io.lladav.cli.eval.EvaluationReport;
import io.lladav.cli.eval.Question;
import io.lladav.cli.eval.Questions;
import io.lladav.cli.eval.Results;
import io.lladav.cli.eval.ResultsFile;
import io.lladav.cli.eval.Share;
import io.lladav.v1.ModelIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// Asks a cluster the questions of a folder and says how many replies are right.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "eval",
    description = "Asks a cluster the questions of a folder and prints how many replies are right, of every kind.")
// @formatter:on
final class EvalCommand implements Callable<Integer> {
  private static final JsonFormat.Printer MESSAGES = JsonFormat.printer().preservingProtoFieldNames();
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String USUAL_TARGET = "localhost:7400";
  private static final int AT_ONCE_MAX = 1024;

  // @formatter:off: the formatter joins annotations into lines of any length.
  @Parameters(paramLabel = "FOLDER", description = "A folder with questions.jsonl and the pictures it names.")
  private Path folder = Path.of("");

  @Option(names = "--target", paramLabel = "HOST:PORT",
      description = "The gateway of a running cluster (default: localhost:7400).")
  private @Nullable String target;

  @Option(names = "--embedded", description = "Starts a cluster for the evaluation, and stops it afterwards.")
  private boolean embedded;

  @Option(names = "--checkpoint", paramLabel = "DIR",
      description = "With --embedded: what it serves (default: the demonstration's).")
  private @Nullable Path checkpoint;

  @Option(names = "--set", paramLabel = "SERVICE.KEY=VALUE",
      description = "With --embedded: a value of its configuration, such as denoiser.precision=int8; may be given again.")
  private Map<String, String> configuration = new TreeMap<>();

  @Option(names = "--at-once", paramLabel = "N", defaultValue = "4",
      description = "Questions that are asked at the same time (default: ${DEFAULT-VALUE}).")
  private int atOnce;

  @Option(names = "--only", paramLabel = "KIND", split = ",", description = "Only questions of these kinds.")
  private List<String> only = List.of();

  @Option(names = "--limit", paramLabel = "N", description = "Only the first N questions of each kind.")
  private int limit = Integer.MAX_VALUE;

  @Option(names = "--results", paramLabel = "FILE",
      description = "Keeps replies in this file, line by line; what it holds already is not asked again.")
  private @Nullable Path resultsFile;

  @Option(names = "--steps-share", paramLabel = "A/B", converter = ShareConverter.class,
      description = "Steps as a share of each reply's length: 1/2.")
  private @Nullable Share stepsShare;

  @Option(names = "--block-share", paramLabel = "A/B", converter = ShareConverter.class,
      description = "Block length as a share of each reply's length: 1/4.")
  private @Nullable Share blockShare;

  @Option(names = "--json", description = "Prints one line of JSON.")
  private boolean json;

  @Mixin
  private DecodingOptions decoding = new DecodingOptions();
  // @formatter:on

  @Spec
  private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    requireOneCluster();
    requireRange("--at-once", atOnce, AT_ONCE_MAX);
    requireRange("--limit", limit, Integer.MAX_VALUE);
    var choice = decodingChoice();
    var questions = Questions.read(folder);
    var selected = selected(questions);
    if (!embedded) {
      return evaluate(target == null ? USUAL_TARGET : target, questions, selected, choice);
    }
    try (var cluster = Cluster.start(clusterSettings(), Progress.onErrors())) {
      int code = evaluate(cluster.target(), questions, selected, choice);
      cluster.requireAlive();
      return code;
    }
  }

  private int evaluate(String gatewayTarget, Questions questions, List<Question> selected,
      DecodingChoice choice)
      throws IOException, InterruptedException {
    try (var gateway = Gateway.at(gatewayTarget)) {
      var settings = settings(gateway.model(), choice);
      var report = report(gateway, settings, questions, selected, choice);
      System.out.print(json ? report.json(settings) : report.plain());
      return report.failed() == 0 ? 0 : 1;
    }
  }

  private EvaluationReport report(Gateway gateway, ObjectNode settings, Questions questions,
      List<Question> selected, DecodingChoice choice) throws IOException, InterruptedException {
    var progress = Progress.onErrors();
    try (var results = results(settings, questions)) {
      return new Evaluation(gateway::reply, choice, results, new EvalProgress(progress, System.err)).run(
          selected,
          atOnce);
    } finally {
      progress.clear();
    }
  }

  private Results results(ObjectNode settings, Questions questions) throws IOException {
    return resultsFile == null
        ? new Results.InMemory()
        : ResultsFile.open(resultsFile, settings, questions);
  }

  private DecodingChoice decodingChoice() {
    try {
      return new DecodingChoice(decoding.toMessage(), Optional.ofNullable(stepsShare),
          Optional.ofNullable(blockShare));
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private List<Question> selected(Questions questions) {
    var kinds = questions.kinds();
    for (var kind : only) {
      if (!kinds.contains(kind)) {
        throw usage("--only: %s (expected: %s)".formatted(kind, String.join(", ", kinds)));
      }
    }
    return questions.select(Set.copyOf(only), limit);
  }

  private ClusterSettings clusterSettings() {
    var environment = new HashMap<String, String>();
    configuration.forEach((key, value) -> environment.put(variable(key), value));
    return ClusterSettings.embedded(checkpoint == null ? Installation.demoCheckpoint() : checkpoint)
        .with(environment);
  }

  private String variable(String key) {
    var name = key.substring(0, Math.max(0, key.indexOf('.')));
    return Arrays.stream(Service.values()).filter(service -> service.label().equals(name))
        .map(service -> service.variable(key.substring(name.length() + 1))).findFirst()
        .orElseThrow(
            () -> usage("--set: %s (expected: a key behind %s, such as denoiser.precision)".formatted(key,
                Arrays.stream(Service.values()).map(service -> service.label() + ".")
                    .collect(Collectors.joining(", ")))));
  }

  /* All that the replies and the time they take depend on, as far as a client knows it. */
  private ObjectNode settings(ModelIdentity model, DecodingChoice choice) {
    var settings = MAPPER.createObjectNode();
    settings.set("model", tree(model));
    settings.set("configuration", MAPPER.valueToTree(configuration));
    settings.put("at_once", atOnce);
    settings.set("decoding", tree(choice.settings()));
    choice.steps().ifPresent(share -> settings.put("steps_share", share.toString()));
    choice.block().ifPresent(share -> settings.put("block_share", share.toString()));
    return settings;
  }

  private static ObjectNode tree(MessageOrBuilder message) {
    try {
      return (ObjectNode) MAPPER.readTree(MESSAGES.print(message));
    } catch (InvalidProtocolBufferException | com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalStateException("a message without Any fields is always printable", e);
    }
  }

  private void requireOneCluster() {
    if (embedded && target != null) {
      throw usage("--target: %s (expected: not with --embedded)".formatted(target));
    }
    if (!embedded && checkpoint != null) {
      throw usage("--checkpoint: %s (expected: only with --embedded)".formatted(checkpoint));
    }
    if (!embedded && !configuration.isEmpty()) {
      throw usage("--set: %s (expected: only with --embedded)".formatted(configuration));
    }
  }

  private void requireRange(String option, int value, int max) {
    if (value < 1 || value > max) {
      throw usage("%s: %d (expected: 1..%d)".formatted(option, value, max));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(requireNonNull(spec).commandLine(), message);
  }

  /// Reads `A/B`.
  private static final class ShareConverter implements ITypeConverter<Share> {
    @Override
    public Share convert(String text) {
      try {
        return Share.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(String.valueOf(e.getMessage()));
      }
    }
  }
}
