package io.lladav.runtime;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.event.KeyValuePair;

/// Writes a log event as one line of JSON: `time` (ISO 8601), `level`, `logger`, `message`, `request_id` if
/// a call is being answered, then the event's own keys, then `exception` with its stack trace.
///
/// Named in `logback.xml`; public for that alone.
public final class JsonLineEncoder extends EncoderBase<ILoggingEvent> {
  private static final JsonFactory JSON = new JsonFactory();

  @Override
  public byte[] headerBytes() {
    return new byte[0];
  }

  @Override
  public byte[] footerBytes() {
    return new byte[0];
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    var line = new ByteArrayOutputStream(256);
    try (var json = JSON.createGenerator(line)) {
      write(event, json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    line.writeBytes("\n".getBytes(StandardCharsets.UTF_8));
    return line.toByteArray();
  }

  private static void write(ILoggingEvent event, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("time", event.getInstant().toString());
    json.writeStringField("level", event.getLevel().toString());
    json.writeStringField("logger", event.getLoggerName());
    json.writeStringField("message", event.getFormattedMessage());
    var request = RequestContext.current();
    if (request.isPresent()) {
      json.writeStringField("request_id", request.get().requestId());
    }
    writeKeyValues(event, json);
    if (event.getThrowableProxy() != null) {
      writeException(event.getThrowableProxy(), json);
    }
    json.writeEndObject();
  }

  private static void writeKeyValues(ILoggingEvent event, JsonGenerator json) throws IOException {
    if (event.getKeyValuePairs() == null) {
      return;
    }
    Set<String> written = new HashSet<>(Set.of("time", "level", "logger", "message", "exception"));
    if (RequestContext.current().isPresent()) {
      written.add("request_id");
    }
    for (var pair : event.getKeyValuePairs()) {
      // A key twice in one object is not JSON; the line's own keys win.
      if (written.add(pair.key)) {
        writeValue(pair, json);
      }
    }
  }

  private static void writeValue(KeyValuePair pair, JsonGenerator json) throws IOException {
    json.writeFieldName(pair.key);
    switch (pair.value) {
      case null -> json.writeNull();
      case Integer number -> json.writeNumber(number);
      case Long number -> json.writeNumber(number);
      case Float number when Float.isFinite(number) -> json.writeNumber(number);
      case Double number when Double.isFinite(number) -> json.writeNumber(number);
      case Boolean truth -> json.writeBoolean(truth);
      default -> json.writeString(pair.value.toString());
    }
  }

  private static void writeException(IThrowableProxy exception, JsonGenerator json) throws IOException {
    json.writeStringField("exception", ThrowableProxyUtil.asString(exception));
  }
}
