package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.JsonNode;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.interpret.TemplateError.ErrorType;
import com.hubspot.jinjava.lib.filter.Filter;
import io.lladav.model.CheckpointException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The Jinja string that turns a dialogue into prompt text, from `tokenizer_config.json`; safe for use by many
/// threads at once.
///
/// It is rendered as the `transformers` library renders it. What stands in a message is never read as a template.
public final class ChatTemplate {
  /// The longest rendered prompt in characters.
  static final int RENDERED_CHARS_MAX = 4 << 20;

  private static final List<String> TOKEN_NAMES = List.of("bos_token", "eos_token", "unk_token", "sep_token",
      "pad_token", "cls_token", "mask_token");

  /* All that bring Jinjava closer to Jinja, but not its object mapper, which writes NUL as an escape. */
  private static final LegacyOverrides LIKE_JINJA = LegacyOverrides.newBuilder()
      .withEvaluateMapKeys(true)
      .withIterateOverMapKeys(true)
      .withUseNaturalOperatorPrecedence(true)
      .withParseWhitespaceControlStrictly(true)
      .withAllowAdjacentTextNodes(true)
      .withUseTrimmingForNotesAndExpressions(true)
      .withKeepNullableLoopValues(true)
      .withHandleBackslashInQuotesOnly(true)
      .build();

  private final Jinjava jinjava = newJinjava();
  private final String source;
  private final Map<String, Object> tokens = new HashMap<>();

  private ChatTemplate(String source, JsonNode tokenizerConfig) {
    // Jinja drops one newline at the end of a template; Jinjava would drop one at the end of the output.
    this.source = source.endsWith("\n") ? source.substring(0, source.length() - 1) : source;
    for (var name : TOKEN_NAMES) {
      var token = tokenizerConfig.path(name);
      var text = token.isObject() ? token.path("content") : token;
      if (text.isTextual()) {
        tokens.put(name, text.asText());
      }
    }
  }

  /// One message as the template sees it.
  ///
  /// @param role `system`, `user` or `assistant`
  /// @param content its text, which the template trims
  record Entry(String role, String content) {}

  /// Reads the template of a checkpoint directory and renders it once to see that it can be.
  ///
  /// @throws CheckpointException when `tokenizer_config.json` or its `chat_template` is missing, or rendering fails
  public static ChatTemplate load(Path checkpointDirectory) {
    var config = CheckpointJson.read(checkpointDirectory, CheckpointJson.TOKENIZER_CONFIG);
    var source = config.path("chat_template");
    if (!source.isTextual()) {
      throw new CheckpointException("%s: chat_template: %s (expected: a Jinja string)".formatted(
          checkpointDirectory.resolve(CheckpointJson.TOKENIZER_CONFIG),
          source.isMissingNode()
              ? "missing"
              : source
                  .getNodeType()));
    }
    var template = new ChatTemplate(source.asText(), config);
    template.requireRenders("probe");
    return template;
  }

  /// Renders a dialogue and the header of the reply that follows it.
  ///
  /// @throws CheckpointException when the template cannot render it
  String render(List<Entry> dialogue) {
    var bindings = new HashMap<>(tokens);
    bindings.put("messages", dialogue.stream()
        .map(entry -> Map.of("role", entry.role(), "content", entry.content()))
        .toList());
    bindings.put("add_generation_prompt", true);
    var result = jinjava.renderForResult(source, bindings);
    for (TemplateError error : result.getErrors()) {
      if (error.getSeverity() == ErrorType.FATAL) {
        throw new CheckpointException(
            "%s: chat_template: line %d: %s".formatted(CheckpointJson.TOKENIZER_CONFIG,
                error.getLineno(), error.getMessage()));
      }
    }
    return result.getOutput();
  }

  /// Returns the Jinja string.
  String source() {
    return source;
  }

  private void requireRenders(String text) {
    if (!render(List.of(new Entry("system", ""), new Entry("user", text))).contains(text)) {
      throw new CheckpointException("%s: chat_template: leaves out what the user says".formatted(
          CheckpointJson.TOKENIZER_CONFIG));
    }
  }

  private static Jinjava newJinjava() {
    var jinjava = new Jinjava(JinjavaConfig.newBuilder()
        .withNestedInterpretationEnabled(false)
        .withTrimBlocks(true)
        .withLstripBlocks(true)
        .withKeepTrailingNewline(true)
        .withMaxOutputSize(RENDERED_CHARS_MAX)
        .withLegacyOverrides(LIKE_JINJA)
        .build());
    jinjava.registerFilter(new PythonTrim());
    return jinjava;
  }

  /// Jinja's `trim`, which is Python's `str.strip`; Jinjava's own knows ASCII white space only.
  private static final class PythonTrim implements Filter {
    @Override
    public String getName() { return "trim"; }

    @Override
    public Object filter(@Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
      return UnicodeText.strip(Objects.toString(value, ""));
    }
  }
}
