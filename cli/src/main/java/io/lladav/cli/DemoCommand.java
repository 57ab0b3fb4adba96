package io.lladav.cli;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.lladav.cli.chat.HeldDialogue;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Image;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Part;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Turn;
import io.lladav.v1.Video;
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
  private static final int SHORT = 16;
  private static final int LONG = 64;
  private static final List<Dialogue> DIALOGUES = List.of(
      new Dialogue(List.of("shapes.png"), SHORT, List.of("Where is the blue square?")),
      new Dialogue(List.of("crowd.png"), SHORT, List.of("What color is the triangle?")),
      new Dialogue(List.of("chart.png"), SHORT, List.of("Which bar is the highest?")),
      new Dialogue(List.of("sign.png"), SHORT, List.of("What color is the text?")),
      new Dialogue(List.of("trio.png"), SHORT, List.of("Is there a red star?")),
      new Dialogue(List.of("shapes.png"), SHORT,
          List.of("What is at the bottom right?", "Where is the purple star?")),
      new Dialogue(List.of("pair-1.png", "pair-2.png"), SHORT,
          List.of("Is there a red square in both pictures?")),
      new Dialogue(List.of("clip.gif"), SHORT, List.of("Which object moves?")),
      new Dialogue(List.of("shapes.png"), LONG, List.of("Describe the picture.")));

  /// Questions asked one after the other; the pictures come with the first of them.
  private record Dialogue(List<String> pictures, int genLength, List<String> questions) {}

  @Override
  public Integer call() throws Exception {
    var terminal = Terminal.output();
    try (
        var cluster = Cluster.start(ClusterSettings.embedded(Installation.demoCheckpoint()),
            Progress.onErrors());
        var gateway = Gateway.at(cluster.target())) {
      for (var dialogue : DIALOGUES) {
        terminal.out().println();
        terminal.out().println("[" + String.join(", ", dialogue.pictures()) + "]");
        hold(dialogue, gateway, terminal);
      }
    }
    return 0;
  }

  private static void hold(Dialogue dialogue, Gateway gateway, Terminal terminal)
      throws IOException, InterruptedException {
    var held = gateway.begin(NewConversation.newBuilder()
        .setDecoding(DecodingSettings.newBuilder().setGenLength(dialogue.genLength()))
        .setStream(StreamOptions.newBuilder().setProvisional(terminal.isLive())).build());
    var shown = dialogue.pictures();
    for (var question : dialogue.questions()) {
      terminal.out().println("> " + question);
      var turn = Turn.newBuilder();
      for (var file : shown) {
        turn.addParts(visual(ByteString.copyFrom(Files.readAllBytes(Installation.demoPicture(file)))));
      }
      var view = ReplyView.of(terminal);
      var outcome = held.ask(turn.addParts(Part.newBuilder().setText(question)).build(), List.of(),
          view::show);
      if (outcome instanceof HeldDialogue.Outcome.Failed(var status)) {
        view.interrupted();
        throw Status.fromCodeValue(status.getCode()).withDescription(status.getMessage())
            .asRuntimeException();
      }
      shown = List.of();
    }
  }

  private static Part visual(ByteString file) {
    return AnimatedFile.is(file)
        ? Part.newBuilder().setVideo(Video.newBuilder().setData(file)).build()
        : Part.newBuilder().setImage(Image.newBuilder().setData(file)).build();
  }
}
