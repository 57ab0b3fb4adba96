package io.lladav.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// One line that a person typed in a dialogue.
sealed interface ChatLine {
  /// What may be typed.
  String HELP = """
      /image FILE      shows the model a picture with the next question
      /think on|off    asks the model to think before it answers, or not to
      /undo            takes the last question and its reply back
      /save FILE       writes the dialogue: JSON if the name ends in .json, else Markdown
      /quit            ends; so does Ctrl-D
      Everything else is a question. Ctrl-C cancels a reply.""";

  /// Something to be asked.
  record Question(String text) implements ChatLine {}

  /// A picture for the next question.
  record Image(Path file) implements ChatLine {}

  /// Whether the model is to think.
  record Think(boolean on) implements ChatLine {}

  /// The last turn is to be taken back.
  record Undo() implements ChatLine {}

  /// The dialogue is to be written to a file.
  record Save(Path file) implements ChatLine {}

  /// Help is wanted.
  record Help() implements ChatLine {}

  /// The end.
  record Quit() implements ChatLine {}

  /// Nothing was typed.
  record Blank() implements ChatLine {}

  /// Something that looks like a command and is none.
  ///
  /// @param complaint what is wrong, and what was expected
  record Misunderstood(String complaint) implements ChatLine {}

  /// Reads a line.
  static ChatLine parse(String line) {
    var text = line.strip();
    if (!text.startsWith("/")) {
      return text.isEmpty() ? new Blank() : new Question(text);
    }
    var words = text.split("\\s+", 2);
    var rest = words.length == 2 ? words[1] : "";
    return switch (words[0]) {
      case "/image" -> withFile(words[0], rest);
      case "/save" -> withFile(words[0], rest);
      case "/think" -> switch (rest) {
        case "on" -> new Think(true);
        case "off" -> new Think(false);
        default -> new Misunderstood("/think %s (expected: on or off)".formatted(rest));
      };
      case "/undo" -> alone(words[0], rest, new Undo());
      case "/help" -> alone(words[0], rest, new Help());
      case "/quit" -> alone(words[0], rest, new Quit());
      default -> new Misunderstood(
          words[0] + " (expected: /image, /think, /undo, /save, /help or /quit)");
    };
  }

  private static ChatLine alone(String command, String rest, ChatLine line) {
    return rest.isEmpty()
        ? line
        : new Misunderstood("%s %s (expected: nothing after %s)".formatted(command, rest, command));
  }

  private static ChatLine withFile(String command, String rest) {
    if (rest.isEmpty()) {
      return new Misunderstood(command + " (expected: a file after it)");
    }
    try {
      var file = Path.of(rest);
      return command.equals("/image") ? new Image(file) : new Save(file);
    } catch (InvalidPathException e) {
      return new Misunderstood("%s %s (expected: the path of a file)".formatted(command, rest));
    }
  }
}
