package io.lladav.model.prompt;

import static io.lladav.model.prompt.Conformance.checkpoint;
import static io.lladav.model.prompt.Conformance.elements;
import static io.lladav.model.prompt.Conformance.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lladav.model.prompt.ChatTemplate.Entry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

final class ChatTemplateTest {
  static final List<String> CHECKPOINTS = Conformance.CHECKPOINTS;

  @TempDir
  private Path directory;

  @ParameterizedTest
  @FieldSource("CHECKPOINTS")
  void rendersAsThePublicCode(String name) {
    var expected = json("template.json");
    var template = ChatTemplate.load(checkpoint(name));
    assertThat(elements(expected.get("renderings"))).hasSizeGreaterThan(20).allSatisfy(rendering -> {
      var dialogue = new ArrayList<Entry>();
      dialogue.add(new Entry("system", rendering.path("system").asText().equals("null")
          ? expected.get(
              "default_system").asText()
          : rendering.get("system").asText()));
      for (var message : rendering.get("messages")) {
        if (!message.get("content").asText().isEmpty()) {
          dialogue.add(new Entry(message.get("role").asText(), message.get("content").asText()));
        }
      }
      assertThat(template.render(dialogue)).isEqualTo(rendering.get("text").asText());
    });
  }

  @Test
  void doesNotReadMessagesAsTemplates() throws IOException {
    var template = template(
        "{% for message in messages %}{% set text = '<' + message['content'] + '>' %}{{ text }}"
            + "{% endfor %}");
    var text = "{{ bos_token }}{% for x in messages %}{# gone #}&<>\\n {{ '{{ 1 }}' }}";
    assertThat(template.render(List.of(new Entry("user", text)))).isEqualTo("<" + text + ">");
  }

  @Test
  void addsDigitsAsText() throws IOException {
    var template = template("{% for message in messages %}{{ message['content'] + '2' }}{% endfor %}");
    assertThat(template.render(List.of(new Entry("user", "1")))).isEqualTo("12");
  }

  @Test
  void trimsBlocksAsTransformersDoes() throws IOException {
    var template = template("""
        {% for message in messages %}
          {% if message.role == 'user' %}
        user: {{ message.content }}
          {%- else -%}
            x
          {% endif %}
        {% endfor %}
        end
        """);
    assertThat(template.render(List.of(new Entry("user", "a"), new Entry("user", "b")))).isEqualTo(
        "user: auser: bend");
  }

  @Test
  void trimsWhatPythonStrips() throws IOException {
    var template = template("{{ messages[-1].content | trim }}");
    var white = "\t\n\u000B\f\r\u001C\u001D\u001E\u001F \u0085\u00A0\u1680\u2000\u200A\u2028\u2029\u202F\u205F\u3000";
    assertThat(template.render(List.of(new Entry("user", white + "a b" + white)))).isEqualTo("a b");
    var other = "\u200B\u180E\uFEFF\u0000\u0008";
    assertThat(template.render(List.of(new Entry("user", other + "a" + other))))
        .isEqualTo(other + "a" + other);
  }

  @Test
  void changesNoCharacter() throws IOException {
    var template = template(
        "{% for message in messages %}{% set text = message['content'] %}{{ text }}{% endfor %}");
    var text = new StringBuilder();
    IntStream.range(0, Character.MIN_SURROGATE).forEach(text::appendCodePoint);
    IntStream.range(Character.MAX_SURROGATE + 1, 0x11000).forEach(text::appendCodePoint);
    assertThat(template.render(List.of(new Entry("user", text.toString())))).isEqualTo(text.toString());
  }

  @Test
  void knowsTheTokensOfTheConfiguration() throws IOException {
    var template = template("{{ bos_token }}|{{ eos_token }}|{{ messages[-1].content }}");
    assertThat(template.render(List.of(new Entry("user", "a")))).isEqualTo("<s>|</s>|a");
  }

  private ChatTemplate template(String source) throws IOException {
    new ObjectMapper().writeValue(directory.resolve("tokenizer_config.json").toFile(), Map.of("chat_template",
        source, "bos_token", "<s>", "eos_token", Map.of("content", "</s>")));
    return ChatTemplate.load(directory);
  }
}
