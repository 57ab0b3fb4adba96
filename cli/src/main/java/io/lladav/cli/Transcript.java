package io.lladav.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.lladav.v1.Conversation;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptPart;
import io.lladav.v1.KeptPicture;
import io.lladav.v1.Role;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;

/// A dialogue as text for people or for programs.
final class Transcript {
  private static final JsonFormat.Printer PRINTER = JsonFormat.printer().preservingProtoFieldNames()
      .alwaysPrintFieldsWithNoPresence();

  private Transcript() {}

  /// The text of a file: JSON with the field names of the API if its name ends in `.json`, else Markdown.
  static String of(Conversation conversation, Path file) {
    return file.toString().endsWith(".json") ? json(conversation) : markdown(conversation);
  }

  private static String json(Conversation conversation) {
    try {
      // Who knows the id may go on with the conversation; a file may be passed on.
      return PRINTER.print(conversation.toBuilder().clearId()) + "\n";
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a message without Any fields is always printable", e);
    }
  }

  private static String markdown(Conversation conversation) {
    var text = new StringBuilder("# Dialogue\n");
    conversation.getMessagesList().forEach(message -> text.append('\n').append(markdown(message)));
    for (var turn : conversation.getTurnsList()) {
      text.append('\n').append(markdown(turn.getQuestion())).append("\n**assistant:** ")
          .append(turn.getReply())
          .append('\n');
    }
    return text.toString();
  }

  private static String markdown(KeptMessage message) {
    return "**%s:** %s%n".formatted(name(message.getRole()),
        message.getPartsList().stream().map(Transcript::markdown).collect(Collectors.joining(" ")));
  }

  private static String markdown(KeptPart part) {
    return switch (part.getContentCase()) {
      case TEXT -> part.getText();
      case PICTURE -> markdown(part.getPicture());
      case VIDEO -> "[video: " + part.getVideo().getFramesList().stream().map(Transcript::markdown)
          .collect(Collectors.joining(" ")) + "]";
      case CONTENT_NOT_SET -> "";
    };
  }

  private static String markdown(KeptPicture picture) {
    return "[%s, %d x %d, %d bytes]".formatted(picture.getMediaType(), picture.getWidthPx(),
        picture.getHeightPx(), picture.getByteCount());
  }

  private static String name(Role role) {
    return role.name().replace("ROLE_", "").toLowerCase(Locale.ROOT);
  }
}
