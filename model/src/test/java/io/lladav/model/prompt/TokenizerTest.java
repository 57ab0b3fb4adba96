package io.lladav.model.prompt;

import static io.lladav.model.prompt.Conformance.checkpoint;
import static io.lladav.model.prompt.Conformance.elements;
import static io.lladav.model.prompt.Conformance.ints;
import static io.lladav.model.prompt.Conformance.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

final class TokenizerTest {
  static final List<String> CHECKPOINTS = Conformance.CHECKPOINTS;

  @ParameterizedTest
  @FieldSource("CHECKPOINTS")
  void encodesAndDecodesAsThePublicTokenizer(String name) {
    var expected = json("tokenizer/" + name + ".json");
    try (var tokenizer = Tokenizer.load(checkpoint(name))) {
      assertThat(elements(expected.get("encode"))).hasSizeGreaterThan(50).allSatisfy(sample -> {
        var ids = ints(sample.get("ids"));
        assertThat(tokenizer.encodeWithSpecialTokens(sample.get("text").asText())).isEqualTo(ids);
        assertThat(tokenizer.decode(ids)).isEqualTo(sample.get("decoded").asText());
        assertThat(tokenizer.decodeWithoutSpecial(ids))
            .isEqualTo(sample.get("decoded_without_special").asText());
      });
      assertThat(elements(expected.get("decode"))).hasSizeGreaterThan(4)
          .allSatisfy(sample -> assertThat(tokenizer
              .decode(ints(sample.get("ids")))).isEqualTo(sample.get("text").asText()));
    }
  }

  @ParameterizedTest
  @FieldSource("CHECKPOINTS")
  void findsSpecialTokensByName(String name) {
    var expected = json("tokenizer/" + name + ".json");
    var special = expected.get("special");
    try (var tokenizer = Tokenizer.load(checkpoint(name))) {
      assertThat(tokenizer.size()).isEqualTo(expected.get("size").asInt());
      assertThat(tokenizer.specialTokens())
          .isEqualTo(new SpecialTokens(special.get("<|startoftext|>").asInt(),
              special.get("<|endoftext|>").asInt(), special.get("<|mdm_mask|>").asInt(), special.get(
                  "<|start_header_id|>").asInt(),
              special.get("<|end_header_id|>").asInt(), special.get("<|eot_id|>")
                  .asInt()));
    }
  }

  @Test
  void readsMergesWrittenAsPairs(@TempDir Path directory) throws IOException {
    Files.copy(Conformance.DIRECTORY.resolve("tokenizer/pairs/tokenizer.json"),
        directory.resolve("tokenizer.json"));
    Files.copy(checkpoint("tiny-b").resolve("tokenizer_config.json"),
        directory.resolve("tokenizer_config.json"));
    try (var tokenizer = Tokenizer.load(directory)) {
      assertThat(elements(json("tokenizer/tiny-b.json").get("encode")))
          .allSatisfy(sample -> assertThat(tokenizer
              .encodeWithSpecialTokens(sample.get("text").asText())).isEqualTo(ints(sample.get("ids"))));
    }
  }

  @ParameterizedTest
  @FieldSource("CHECKPOINTS")
  void encodesStopsAndSuffixesAndDecodesRepliesOfEveryCase(String name) {
    try (var tokenizer = Tokenizer.load(checkpoint(name))) {
      assertThat(Conformance.cases(name)).isNotEmpty().allSatisfy(file -> {
        var request = json(file).get("request");
        var expected = json(file).get("expect");
        var stops = elements(request.get("stop"));
        assertThat(stops).map(stop -> tokenizer.encodeWithSpecialTokens(stop.asText()))
            .containsExactlyElementsOf(elements(expected.get("stop_ids")).stream()
                .map(Conformance::ints)
                .toList());
        assertThat(tokenizer.encodeWithSpecialTokens(request.path("suffix").asText("")))
            .isEqualTo(ints(expected
                .get("suffix_ids")));
        var ids = ints(expected.get("ids"));
        assertThat(tokenizer.decode(ids)).isEqualTo(expected.get("text").asText());
        assertThat(tokenizer.decodeWithoutSpecial(ids))
            .isEqualTo(expected.get("text_without_special").asText());
      });
    }
  }

  @Test
  void neverReadsSpecialTokensInPlainText() {
    try (var tokenizer = Tokenizer.load(checkpoint("tiny-a"))) {
      assertThat(tokenizer.specialStrings()).hasSize(57).allSatisfy(string -> {
        var ids = tokenizer.encodeText("x " + string + string);
        assertThat(IntStream.of(ids)).noneMatch(tokenizer::isSpecial);
        assertThat(tokenizer.decode(ids)).isEqualTo("x " + string + string);
      });
    }
  }

  @Test
  void readsSurrogatesWithoutPartnerAsReplacementCharacters() {
    try (var tokenizer = Tokenizer.load(checkpoint("tiny-a"))) {
      assertThat(tokenizer.decode(tokenizer.encodeText("a\uD83Db\uDE00\uD83D")))
          .isEqualTo("a\uFFFDb\uFFFD\uFFFD");
    }
  }

  @Test
  void doesNotTruncateLongText() {
    var text = "word ".repeat(20_000);
    try (var tokenizer = Tokenizer.load(checkpoint("tiny-a"))) {
      assertThat(tokenizer.decode(tokenizer.encodeText(text))).isEqualTo(text);
    }
  }

  @Test
  void namesIdsThatDoNotExist() {
    try (var tokenizer = Tokenizer.load(checkpoint("tiny-a"))) {
      assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.decode(new int[]{3, 1017}))
          .withMessage("ids[1]: 1017 (expected: 0..1016)");
      assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.tokenText(-1))
          .withMessage("ids[0]: -1 (expected: 0..1016)");
    }
  }

  @Test
  void givesEqualIdsToManyThreadsAtOnce() throws Exception {
    try (var tokenizer = Tokenizer.load(checkpoint("tiny-b"));
        var threads = Executors.newFixedThreadPool(8)) {
      var text = json("tokenizer/tiny-b.json").get("encode").findValuesAsText("text").toString();
      var expected = tokenizer.encodeText(text);
      Callable<int[]> encode = () -> tokenizer.encodeText(text);
      for (var ids : threads.invokeAll(IntStream.range(0, 200).mapToObj(_ -> encode).toList())) {
        assertThat(ids.get()).isEqualTo(expected);
      }
    }
  }
}
