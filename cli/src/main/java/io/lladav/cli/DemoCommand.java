package io.lladav.cli;

import com.google.protobuf.ByteString;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.StreamOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// Starts a cluster, asks it the shipped questions about the shipped pictures, and stops it.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "demo",
    description = "Starts the four services, asks shipped questions about shipped pictures, stops.")
// @formatter:on
final class DemoCommand implements Callable<Integer> {
  private static final List<Question> QUESTIONS = List.of(
      new Question("What does the picture show?", List.of("shapes-384x384.png")),
      new Question("How do these two pictures differ?", List.of("field-300x60.png", "shapes-56x56.png")),
      new Question("Why is the sky blue?", List.of()));
  private static final int GEN_LENGTH = 32;
  private static final int STEPS = 16;

  private record Question(String text, List<String> pictures) {}

  @Override
  public Integer call() throws Exception {
    var terminal = Terminal.output();
    terminal.out().println("The demonstration checkpoint is small and untrained: the replies are gibberish.");
    try (
        var cluster = Cluster.start(ClusterSettings.embedded(Installation.demoCheckpoint()),
            Progress.onErrors());
        var gateway = Gateway.at(cluster.target())) {
      for (var question : QUESTIONS) {
        terminal.out().println();
        terminal.out().println("> " + question.text() + shown(question.pictures()));
        gateway.ask(request(question, terminal.isLive()), ReplyView.of(terminal));
      }
    }
    return 0;
  }

  private static String shown(List<String> pictures) {
    return pictures.isEmpty() ? "" : "  [" + String.join(", ", pictures) + "]";
  }

  private static GenerateRequest request(Question question, boolean provisional) throws IOException {
    var message = Message.newBuilder().setRole(Role.ROLE_USER);
    for (var file : question.pictures()) {
      message.addParts(Part.newBuilder().setImage(
          Image.newBuilder().setData(ByteString.copyFrom(Files.readAllBytes(Installation.picture(file))))));
    }
    return GenerateRequest.newBuilder()
        .addMessages(message.addParts(Part.newBuilder().setText(question.text())))
        .setDecoding(DecodingSettings.newBuilder().setGenLength(GEN_LENGTH).setSteps(STEPS))
        .setStream(StreamOptions.newBuilder().setProvisional(provisional))
        .build();
  }
}
