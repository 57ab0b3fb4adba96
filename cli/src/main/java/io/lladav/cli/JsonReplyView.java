package io.lladav.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.lladav.v1.GenerateResponse;
import java.io.PrintStream;

/// Prints every event as one line of JSON, with the field names of the API.
final class JsonReplyView implements ReplyView {
  private static final JsonFormat.Printer PRINTER = JsonFormat.printer().preservingProtoFieldNames()
      .alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

  private final PrintStream out;

  JsonReplyView(PrintStream out) {
    this.out = out;
  }

  @Override
  public void show(GenerateResponse event) {
    try {
      out.println(PRINTER.print(event));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an event without Any fields is always printable", e);
    }
  }

  @Override
  public void interrupted() {}
}
