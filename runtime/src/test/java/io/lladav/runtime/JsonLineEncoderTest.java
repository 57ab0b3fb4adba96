package io.lladav.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.Context;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

final class JsonLineEncoderTest {
  @Test
  void writesOneEscapedLineWithTheKeysOfTheEvent() throws Exception {
    var event = event("a \"quoted\"\nmessage", null);
    event.addKeyValuePair(new KeyValuePair("steps", 3));
    event.addKeyValuePair(new KeyValuePair("seconds", Double.NaN));
    event.addKeyValuePair(new KeyValuePair("message", "hides nothing"));

    var line = encode(event);

    assertThat(line.get("message").asText()).isEqualTo("a \"quoted\"\nmessage");
    assertThat(line.get("level").asText()).isEqualTo("INFO");
    assertThat(line.get("time").asText()).matches("\\d{4}-\\d\\d-\\d\\dT.*Z");
    assertThat(line.get("steps").asInt()).isEqualTo(3);
    assertThat(line.get("seconds").asText()).isEqualTo("NaN");
    assertThat(line.has("request_id")).isFalse();
  }

  @Test
  void namesTheRequestThatIsBeingAnswered() throws Exception {
    var context = new RequestContext("r-9", null, null).attachTo(Context.ROOT);

    assertThat(context.call(() -> encode(event("step", null))).get("request_id").asText()).isEqualTo("r-9");
  }

  @Test
  void writesTheStackTraceIntoTheSameLine() throws Exception {
    assertThat(encode(event("failed", new IllegalStateException("broken"))).get("exception").asText())
        .startsWith("java.lang.IllegalStateException: broken")
        .contains("JsonLineEncoderTest");
  }

  private static LoggingEvent event(String message, @Nullable Throwable cause) {
    var logger = new LoggerContext().getLogger("io.lladav.testing");
    return new LoggingEvent("", logger, Level.INFO, message, cause, null);
  }

  private static JsonNode encode(LoggingEvent event) throws Exception {
    var text = new String(new JsonLineEncoder().encode(event), StandardCharsets.UTF_8);
    assertThat(text).endsWith("\n").hasLineCount(1);
    return new ObjectMapper().readTree(text);
  }
}
