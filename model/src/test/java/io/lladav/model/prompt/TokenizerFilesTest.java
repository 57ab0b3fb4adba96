package io.lladav.model.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TokenizerFilesTest {
  @TempDir
  private Path directory;
  private final ObjectNode tokenizer = read("tokenizer.json");
  private final ObjectNode config = read("tokenizer_config.json");

  @BeforeEach
  void copyFiles() throws IOException {
    write();
  }

  @Test
  void namesAMissingFile() throws IOException {
    Files.delete(directory.resolve("tokenizer_config.json"));
    refuses("tokenizer_config.json: no such file");
  }

  @Test
  void namesATruncatedFile() throws IOException {
    var file = directory.resolve("tokenizer.json");
    Files.writeString(file, Files.readString(file).substring(0, 10_000));
    refuses("tokenizer.json: broken or truncated JSON");
  }

  @Test
  void namesAnAbsentToken() throws IOException {
    ((ArrayNode) tokenizer.get("added_tokens"))
        .removeIf(t -> t.get("content").asText().equals("<|mdm_mask|>"));
    ((ObjectNode) config.get("added_tokens_decoder")).remove("1004");
    write();
    refuses("no added token <|mdm_mask|>");
  }

  @Test
  void acceptsATokenThatOnlyTheConfigurationLists() throws IOException {
    ((ArrayNode) tokenizer.get("added_tokens")).removeIf(t -> t.get("content").asText().equals("<|eot_id|>"));
    write();
    try (var loaded = Tokenizer.load(directory)) {
      assertThat(loaded.specialTokens().endOfTurn()).isEqualTo(1016);
    }
  }

  @Test
  void refusesFilesThatDisagreeOnAnId() throws IOException {
    var tokens = (ObjectNode) config.get("added_tokens_decoder");
    tokens.set("1017", tokens.remove("1016"));
    write();
    refuses("added token <|eot_id|> has id 1017, but <|eot_id|> has id 1016 in tokenizer.json");
  }

  @Test
  void refusesIdsWithoutARow() throws IOException {
    var last = (ObjectNode) tokenizer.get("added_tokens").get(56);
    last.put("id", 1040);
    var tokens = (ObjectNode) config.get("added_tokens_decoder");
    tokens.set("1040", tokens.remove("1016"));
    write();
    refuses("token <|eot_id|> has id 1040 (expected: 0..1016, as there are 1017 tokens)");
  }

  @Test
  void refusesTokensThatSwallowWhiteSpace() throws IOException {
    ((ObjectNode) tokenizer.get("added_tokens").get(0)).put("lstrip", true);
    write();
    refuses("added token <|startoftext|>: lstrip: true (expected: false)");
  }

  @Test
  void refusesOtherKindsOfTokenizer() throws IOException {
    ((ObjectNode) tokenizer.get("decoder")).put("type", "Metaspace");
    write();
    refuses("decoder: Metaspace (expected: ByteLevel)");
  }

  @Test
  void refusesAVocabularyThatTheLibraryRefuses() throws IOException {
    ((ArrayNode) tokenizer.get("model").get("merges")).add("no-such no-other");
    write();
    refuses("not a tokenizer that can be run");
  }

  @Test
  void givesNoSpecialIdsEvenWhenTheVocabularyHoldsThem() throws IOException {
    var model = (ObjectNode) tokenizer.get("model");
    model.put("ignore_merges", true);
    ((ObjectNode) model.get("vocab")).put("[CLS]", 962);
    ((ObjectNode) tokenizer.get("pre_tokenizer").get("pretokenizers").get(0).get("pattern")).put("Regex",
        "\\[CLS\\]");
    write();
    try (var loaded = Tokenizer.load(directory)) {
      assertThat(loaded.encodeText("[CLS]")).hasSizeGreaterThan(1);
      assertThat(loaded.size()).isEqualTo(1017);
    }
  }

  @Test
  void namesAMissingTemplate() throws IOException {
    config.remove("chat_template");
    write();
    refusesTemplate("chat_template: missing (expected: a Jinja string)");
  }

  @Test
  void namesATemplateThatCannotBeRendered() throws IOException {
    config.put("chat_template", "{% for message in messages %}{{ message.content | nosuchfilter }}");
    write();
    refusesTemplate("tokenizer_config.json: chat_template: line 1");
  }

  @Test
  void refusesATemplateThatIgnoresTheUser() throws IOException {
    config.put("chat_template", "{{ bos_token }}");
    write();
    refusesTemplate("chat_template: leaves out what the user says");
  }

  private void refuses(String message) {
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Tokenizer.load(directory))
        .withMessageContaining(message);
  }

  private void refusesTemplate(String message) {
    assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> ChatTemplate.load(directory))
        .withMessageContaining(message);
  }

  private void write() throws IOException {
    new ObjectMapper().writeValue(directory.resolve("tokenizer.json").toFile(), tokenizer);
    new ObjectMapper().writeValue(directory.resolve("tokenizer_config.json").toFile(), config);
  }

  private static ObjectNode read(String file) {
    return (ObjectNode) Conformance.json(Conformance.checkpoint("tiny-a").resolve(file));
  }
}
