package io.lladav.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ScoringTest {
  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
      "Top Left | top left", "\"  top \t\n left  \" | top left", "top left. | top left", "\"Yes!\" | yes",
      "'Yes.' | yes", "(yes) | yes", "“yes” | yes", "**yes** | yes", "yes ... | yes",
      "The red circle. | red circle",
      "a cat and an ape on the mat | cat and ape on mat", "The \"cat\". | cat", "A | a", "The. | the",
      "the a | the a",
      "-3 | -3", "50% | 50%", "4:30. | 4:30", "top-left, | top-left", "there | there", "... | \"\"",
      "\"\" | \"\"",
      "IRIS | iris", "\u00a0x\u2003y | x y"})
  void comparesWhatCounts(String text, String form) {
    assertThat(NormalForm.of(text)).isEqualTo(form);
    assertThat(NormalForm.of(form)).as("the form of the form").isEqualTo(form);
  }

  @Test
  void formsDoNotDependOnWhoAsks() {
    var usual = Locale.getDefault();
    try {
      Locale.setDefault(Locale.of("tr", "TR"));
      assertThat(NormalForm.of("IRIS")).isEqualTo("iris");
    } finally {
      Locale.setDefault(usual);
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"Top left. | 1", "the upper left | 1", "top | 0",
      "top left corner | 0",
      "'' | 0"})
  void anyAnswerIsRight(String reply, double score) {
    assertThat(new Scoring.Exact(List.of("top left", "Upper left.")).score(reply)).isEqualTo(score);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"2 and 2 make 4. Answer: 4. | 1", "answer: 3, no: ANSWER: four | 1",
      "answer: 4 answer: 3 | 0", "4 | 1", "It is 4 | 0", "answer: | 0"})
  void whatStandsLastIsTheAnswer(String reply, double score) {
    assertThat(new Scoring.Final(List.of("4", "four")).score(reply)).isEqualTo(score);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      // everything, in any order and dress
      "large red circle at the top left, small blue square | 1",
      "A small blue square and a large red circle at the top left. | 1",
      "a large red circle at top left; and the small blue square! | 1",
      "There are two objects: a large red circle at the top left, and a small blue square. | 1",
      "There is a large red circle at the top left and a small blue square. | 1",
      "small blue square, large red circle at the top left, a small blue square | 1",
      "small blue square,, ... ; large red circle at the top left, | 1",
      // left out, guessed, both
      "small blue square | 0.5", "small blue square, green star | 0.5",
      "small blue square, green star, large red circle at the top left | 0.6667",
      "small blue square, green star, red star, blue star | 0.25", "green star | 0", "'' | 0", "', ;' | 0",
      // an introduction of another kind is no fact
      "I see: a small blue square, large red circle at the top left | 0.5",
      // nor is one in the middle
      "large red circle at the top left, there is a small blue square | 0.5"})
  void countsTrueFacts(String reply, double score) {
    assertThat(
        new Scoring.Facts(List.of("large red circle at the top left", "small blue square")).score(reply))
        .isCloseTo(score, within(1e-4));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {"top left: red circle, top center: empty, bottom: empty | 1",
      "There you are: top left: red circle, top center: empty, bottom: empty | 1",
      "top left: red circle, top center: empty, bottom: red circle | 0.6667",
      "red circle, top center: empty, bottom: empty | 0.6667"})
  void aColonMayBelongToAFact(String reply, double score) {
    assertThat(
        new Scoring.Facts(List.of("top left: red circle", "top center: empty", "bottom: empty")).score(reply))
        .isCloseTo(score, within(1e-4));
  }

  @Test
  void whatLooksLikeAnIntroductionMayBeAFact() {
    assertThat(new Scoring.Facts(List.of("there is no star", "left: a circle"))
        .score("There is no star, left: circle"))
        .isEqualTo(1);
  }
}
