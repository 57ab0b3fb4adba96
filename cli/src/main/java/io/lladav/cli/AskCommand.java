package io.lladav.cli;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Video;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Asks a running gateway one question.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "ask",
    description = "Asks a running cluster one question and shows the reply as it denoises.")
// @formatter:on
final class AskCommand implements Callable<Integer> {
  // @formatter:off: the formatter joins annotations into lines of any length.
  @Option(names = "--image", paramLabel = "FILE", description = "A picture; may be given again.")
  private List<Path> images = new ArrayList<>();

  @Option(names = "--video", paramLabel = "FILE",
      description = "An animated GIF or WebP file; or a frame, given again for every frame, in order.")
  private List<Path> frames = new ArrayList<>();

  @Option(names = "--frame-count", paramLabel = "N",
      description = "With an animated file: how many of its frames to look at, at even distances.")
  private @Nullable Integer frameCount;

  @Option(names = "--n", paramLabel = "N", description = "Replies to the same question, each with its own seed.")
  private int answers;

  @Option(names = "--confidences",
      description = "Lists every token of the reply: position, step that committed it, confidence, text.")
  private boolean confidences;

  @Option(names = "--system", paramLabel = "TEXT", description = "Replaces the default system message.")
  private @Nullable String system;

  @Option(names = "--target", paramLabel = "HOST:PORT", defaultValue = "localhost:7400",
      description = "The gateway (default: ${DEFAULT-VALUE}).")
  private String target = "";

  @Option(names = "--json", description = "Prints every event as one line of JSON.")
  private boolean json;

  @Mixin
  private DecodingOptions decoding = new DecodingOptions();

  @Parameters(paramLabel = "QUESTION")
  private String question = "";
  // @formatter:on

  @Spec
  private @Nullable CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    if (json && confidences) {
      throw usage(
          "--confidences: not with --json (expected: one of them; the events of --json hold confidences)");
    }
    var terminal = Terminal.output();
    try (var gateway = Gateway.at(target)) {
      gateway.ask(request(!json && answers <= 1 && terminal.isLive()), view(terminal));
    }
    return 0;
  }

  private ReplyView view(Terminal terminal) {
    if (json) {
      return new JsonReplyView(terminal.out());
    }
    return answers > 1
        ? new AnswersView(terminal.out(), answers, () -> listed(new PlainReplyView(terminal), terminal))
        : listed(ReplyView.of(terminal), terminal);
  }

  private ReplyView listed(ReplyView view, Terminal terminal) {
    return confidences ? new ConfidencesView(view, terminal.out()) : view;
  }

  /// The message that was asked for.
  ///
  /// @param provisional whether guesses are wanted
  GenerateRequest request(boolean provisional) throws IOException {
    var request = GenerateRequest.newBuilder().setDecoding(decoding.toMessage())
        .setStream(StreamOptions.newBuilder().setProvisional(provisional)).setN(answers);
    if (system != null) {
      request.addMessages(message(Role.ROLE_SYSTEM, List.of(Part.newBuilder().setText(system).build())));
    }
    return request.addMessages(message(Role.ROLE_USER, parts())).build();
  }

  private List<Part> parts() throws IOException {
    var parts = new ArrayList<Part>();
    for (var file : images) {
      parts.add(Part.newBuilder().setImage(image(file)).build());
    }
    if (!frames.isEmpty() || frameCount != null) {
      parts.add(Part.newBuilder().setVideo(video()).build());
    }
    parts.add(Part.newBuilder().setText(question).build());
    return parts;
  }

  /* One animated file is the video; several files are its frames, whatever they are. */
  private Video video() throws IOException {
    var video = Video.newBuilder();
    for (var file : frames) {
      video.addFrames(image(file));
    }
    var whole = frames.size() == 1 && AnimatedFile.is(video.getFrames(0).getData());
    if (!whole && frameCount != null) {
      throw usage("--frame-count: %d (expected: with one animated GIF or WebP file in --video)"
          .formatted(frameCount));
    }
    if (whole) {
      video.setData(video.getFrames(0).getData()).clearFrames();
    }
    if (frameCount != null) {
      video.setFrameCount(frameCount);
    }
    return video.build();
  }

  private ParameterException usage(String message) {
    return new ParameterException(requireNonNull(spec).commandLine(), message);
  }

  private static Message message(Role role, List<Part> parts) {
    return Message.newBuilder().setRole(role).addAllParts(parts).build();
  }

  private static Image image(Path file) throws IOException {
    return Image.newBuilder().setData(ByteString.copyFrom(Files.readAllBytes(file))).build();
  }
}
