package io.lladav.cli;

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
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

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
      description = "A frame of the video; given again for every frame, in order.")
  private List<Path> frames = new ArrayList<>();

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

  @Override
  public Integer call() throws Exception {
    var terminal = Terminal.output();
    try (var gateway = Gateway.at(target)) {
      gateway.ask(request(!json && terminal.isLive()),
          json ? new JsonReplyView(terminal.out()) : ReplyView.of(terminal));
    }
    return 0;
  }

  /// The message that was asked for.
  ///
  /// @param provisional whether guesses are wanted
  GenerateRequest request(boolean provisional) throws IOException {
    var request = GenerateRequest.newBuilder().setDecoding(decoding.toMessage())
        .setStream(StreamOptions.newBuilder().setProvisional(provisional));
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
    if (!frames.isEmpty()) {
      var video = Video.newBuilder();
      for (var file : frames) {
        video.addFrames(image(file));
      }
      parts.add(Part.newBuilder().setVideo(video).build());
    }
    parts.add(Part.newBuilder().setText(question).build());
    return parts;
  }

  private static Message message(Role role, List<Part> parts) {
    return Message.newBuilder().setRole(role).addAllParts(parts).build();
  }

  private static Image image(Path file) throws IOException {
    return Image.newBuilder().setData(ByteString.copyFrom(Files.readAllBytes(file))).build();
  }
}
