package io.lladav.cli;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.cli.chat.HeldDialogue;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Image;
import io.lladav.v1.Part;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.ThinkMode;
import io.lladav.v1.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A dialogue between a person and a gateway, line by line.
final class Chat {
  private final HeldDialogue dialogue;
  private final LineSource lines;
  private final Terminal terminal;
  private final List<ByteString> pictures = new ArrayList<>();
  private DecodingSettings decoding;

  /// @param decoding how replies are denoised, until the person changes it
  Chat(HeldDialogue dialogue, LineSource lines, Terminal terminal, DecodingSettings decoding) {
    this.dialogue = dialogue;
    this.lines = lines;
    this.terminal = terminal;
    this.decoding = decoding;
  }

  /// Shows the model a picture with the next question.
  void add(Path file) throws IOException {
    pictures.add(ByteString.copyFrom(Files.readAllBytes(file)));
  }

  /// Talks until the person ends it.
  void hold() throws IOException, InterruptedException {
    for (var line = lines.next(); line.isPresent(); line = lines.next()) {
      switch (ChatLine.parse(line.get())) {
        case ChatLine.Question(var text) -> ask(text);
        case ChatLine.Image(var file) -> image(file);
        case ChatLine.Think(boolean on) -> think(on);
        case ChatLine.Undo() -> undo();
        case ChatLine.Save(var file) -> save(file);
        case ChatLine.Help() -> say(ChatLine.HELP);
        case ChatLine.Misunderstood(var complaint) -> say(complaint);
        case ChatLine.Blank() -> {
          // Nothing to do.
        }
        case ChatLine.Quit() -> {
          return;
        }
      }
    }
  }

  private void ask(String text) throws InterruptedException {
    var turn = Turn.newBuilder().setDecoding(decoding)
        .setStream(StreamOptions.newBuilder().setProvisional(terminal.isLive()));
    pictures.forEach(_ -> turn.addParts(Part.newBuilder().setImage(Image.getDefaultInstance())));
    turn.addParts(Part.newBuilder().setText(text));
    switch (ask(turn.build())) {
      case HeldDialogue.Outcome.Answered() -> pictures.clear();
      case HeldDialogue.Outcome.Cancelled() -> say("(cancelled; the dialogue is as before)");
      case HeldDialogue.Outcome.Failed(var status) -> {
        pictures.clear();
        say("%s: %s".formatted(Status.fromCodeValue(status.getCode()).getCode(), status.getMessage()));
      }
    }
  }

  private HeldDialogue.Outcome ask(Turn turn) throws InterruptedException {
    var view = ReplyView.of(terminal);
    var answered = false;
    try (var _ = lines.onInterrupt(dialogue::cancelTurn)) {
      var outcome = dialogue.ask(turn, pictures, view::show);
      answered = outcome instanceof HeldDialogue.Outcome.Answered;
      return outcome;
    } finally {
      if (!answered) {
        view.interrupted();
      }
    }
  }

  private void image(Path file) {
    try {
      add(file);
      say("(shown with the next question: %s)".formatted(file));
    } catch (NoSuchFileException _) {
      say(file + ": there is no such file");
    } catch (IOException e) {
      say(e.toString());
    }
  }

  private void think(boolean on) {
    decoding = decoding.toBuilder()
        .setThinkMode(on ? ThinkMode.THINK_MODE_THINK : ThinkMode.THINK_MODE_NO_THINK).build();
    say(on ? "(the model is asked to think)" : "(the model is asked not to think)");
  }

  private void undo() {
    try {
      say("(taken back; turns left: %d)".formatted(dialogue.undo()));
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.INVALID_ARGUMENT) {
        throw e;
      }
      say("nothing to take back");
    }
  }

  private void save(Path file) {
    var conversation = dialogue.read();
    if (conversation.isEmpty()) {
      say("nothing to save");
      return;
    }
    try {
      Files.writeString(file, Transcript.of(conversation.get(), file));
      say("(saved: %s)".formatted(file));
    } catch (IOException e) {
      say(e.toString());
    }
  }

  private void say(String text) {
    terminal.out().println(text);
  }
}
