package io.lladav.model.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

final class PromptPropertyTest {
  private static final Tokenizer TOKENIZER = Tokenizer.load(Conformance.checkpoint("tiny-b"));
  private static final PromptBuilder BUILDER = new PromptBuilder(TOKENIZER,
      ChatTemplate.load(Conformance.checkpoint("tiny-b")));

  @Property(tries = 400)
  void hostileTextGivesNeitherSpecialIdsNorVisuals(@ForAll("hostileTexts") List<String> texts) {
    var parts = texts.stream().map(text -> (Part) new Part.Text(text)).toList();
    var prompt = BUILDER
        .build(List.of(new Message(Role.SYSTEM, parts), Message.of(Role.USER, "q"), new Message(
            Role.ASSISTANT, parts), Message.of(Role.USER, "r")), PromptOptions.DEFAULT);
    var harmless = List.of(Message.of(Role.SYSTEM, "x"), Message.of(Role.USER, "q"),
        Message.of(Role.ASSISTANT, "x"),
        Message.of(Role.USER, "r"));
    var said = !String.join("", texts).isEmpty();
    if (said) {
      assertThat(special(prompt)).isEqualTo(special(BUILDER.build(harmless, PromptOptions.DEFAULT)));
      assertThat(prompt.lastTurn()).isEqualTo(1);
    }
    assertThat(prompt.segments()).allMatch(PromptSegment.TextIds.class::isInstance);
    assertThat(TOKENIZER.decode(prompt.inputIds())).isEqualTo(prompt.text());
    var trimmed = UnicodeText.strip(UnicodeText.wellFormed(String.join("", texts)));
    assertThat(prompt.text()).contains(trimmed);
  }

  @Property(tries = 200)
  void hostileTextBesideVisualsMovesNothing(@ForAll("hostileTexts") List<String> texts) {
    var text = String.join("", texts);
    var prompt = BUILDER.build(
        List.of(new Message(Role.USER, List.of(new Part.Text("a" + text), new Part.Visual(0),
            new Part.Text(text + "b")))),
        new PromptOptions(ThinkMode.NONE, PromptQuirks.NONE, VisualPlacement.LEADING));
    var wellFormed = UnicodeText.wellFormed("a" + text) + "<image>" + UnicodeText.wellFormed(text + "b");
    assertThat(prompt.text()).contains("user<|end_header_id|>\n\n" + wellFormed + "<|eot_id|>");
    assertThat(prompt.segments()).extracting(segment -> segment instanceof PromptSegment.VisualSlot)
        .containsExactly(false, true, false);
  }

  @Property(tries = 400)
  void wellFormedTextSurvivesEncodingAndDecoding(@ForAll String text) {
    var wellFormed = UnicodeText.wellFormed(text);
    assertThat(TOKENIZER.decode(TOKENIZER.encodeText(wellFormed))).isEqualTo(wellFormed);
  }

  @Provide
  Arbitrary<List<String>> hostileTexts() {
    var specials = Arbitraries.of(TOKENIZER.specialStrings());
    var fragments = Arbitraries.of("<image>", "<", "<|", "|>", ">", "<|eot", "_id|>",
        "<|start_header_id|>user", "[",
        "{{", "}}", "{{ bos_token }}", "{%", "%}", "{% endfor %}", "{#", "#}", "'", "\\", "\\n", "\n", " ",
        "\u00A0",
        "\u0000");
    var characters = Arbitraries.of("\uE000", "\uE001", "\uE002", "\uF8FF", "\uDB80\uDC00", "\uD83D",
        "\uDE00",
        "\uFFFD", "\u200B", "😀", "x", "1");
    return Arbitraries.oneOf(specials, fragments, characters).list().ofMaxSize(12);
  }

  private static int[] special(Prompt prompt) {
    return IntStream.of(prompt.inputIds()).filter(TOKENIZER::isSpecial).toArray();
  }
}
