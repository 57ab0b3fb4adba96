package io.lladav.cli;

import io.lladav.v1.Draft;
import io.lladav.v1.DraftPart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A reply with holes, as a person types it: `The answer is {3}.` has a hole of 3 positions; `{{` is a brace.
final class DraftText {
  private static final Pattern PIECE = Pattern.compile("\\{\\{|\\{(?<hole>[^{}]*)}|(?<text>[^{]+)|\\{");

  private DraftText() {}

  /// Reads the text.
  ///
  /// @throws TypeConversionException if it is empty, or what stands in braces is no number of positions
  static Draft parse(String text) {
    var draft = Draft.newBuilder();
    var fixed = new StringBuilder();
    PIECE.matcher(text).results().forEach(piece -> add(piece, fixed, draft));
    flush(fixed, draft);
    if (draft.getPartsCount() == 0) {
      throw new TypeConversionException("nothing (expected: text with holes, such as 'The answer is {3}.')");
    }
    return draft.build();
  }

  private static void add(MatchResult piece, StringBuilder fixed, Draft.Builder draft) {
    if (piece.group("text") != null) {
      fixed.append(piece.group());
    } else if (piece.group().equals("{{")) {
      fixed.append('{');
    } else {
      flush(fixed, draft);
      draft.addParts(DraftPart.newBuilder().setHole(hole(piece)));
    }
  }

  private static int hole(MatchResult piece) {
    try {
      int positions = Integer.parseInt(String.valueOf(piece.group("hole")));
      if (positions >= 1) {
        return positions;
      }
    } catch (NumberFormatException _) {
      // As below.
    }
    throw new TypeConversionException(
        piece.group() + " (expected: {N} with 1 position or more; {{ is a brace)");
  }

  private static void flush(StringBuilder fixed, Draft.Builder draft) {
    if (!fixed.isEmpty()) {
      draft.addParts(DraftPart.newBuilder().setText(fixed.toString()));
      fixed.setLength(0);
    }
  }

  /// Reads the text of an option.
  static final class Converter implements ITypeConverter<Draft> {
    @Override
    public Draft convert(String text) {
      return parse(text);
    }
  }

  /// Reads the file that an option names. A line break at its end is not part of the draft.
  static final class FileConverter implements ITypeConverter<Draft> {
    @Override
    public Draft convert(String file) {
      try {
        return parse(Files.readString(Path.of(file)).replaceFirst("\\R\\z", ""));
      } catch (IOException e) {
        throw new TypeConversionException(file + ": cannot be read: " + e.getMessage());
      }
    }
  }
}
