package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.lladav.cli.conformance.GoldenReply.GoldenStep;
import io.lladav.internal.debug.v1.PromptDetail;
import io.lladav.internal.debug.v1.TokenSequence;
import io.lladav.internal.debug.v1.VisualDetail;
import io.lladav.v1.Finished;
import io.lladav.v1.Started;
import io.lladav.v1.Step;
import io.lladav.v1.Token;
import io.lladav.v1.Usage;
import io.lladav.v1.VisualInfo;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

final class ComparisonTest {
  private static final int MASK = 9;
  private static final GoldenReply EXPECTED = new GoldenReply("<s>Hi", List.of(1, -200, 3), 20, 18,
      List.of(List.of(7), List.of(5, 6)), List.of(4), List.of(11, 12, 4), "Yes, a cat", 2,
      List.of(new GoldenStep(List.of(1, 2), List.of(12, MASK), List.of(0.5, 0.25), Optional.empty()),
          new GoldenStep(List.of(0), List.of(11), List.of(0.125), Optional.empty())));
  private static final ExpectedVisual VISUAL = new ExpectedVisual(OptionalInt.of(3),
      Optional.of(new ExpectedVisual.Grid(1, 2)), List.of("aa", "bb", "cc"), OptionalInt.of(18));

  private PromptDetail prompt = PromptDetail.newBuilder().setText("<s>Hi").addAllInputIds(List.of(1, -200, 3))
      .addStops(TokenSequence.newBuilder().addIds(7)).addStops(TokenSequence.newBuilder().addIds(5).addIds(6))
      .addSuffixIds(4).build();
  private VisualDetail digests = VisualDetail.newBuilder().addTileDigests(digest("aa"))
      .addTileDigests(digest("bb"))
      .addTileDigests(digest("cc")).build();
  private Started started = Started.newBuilder().setPromptTokens(20)
      .addVisuals(
          VisualInfo.newBuilder().setTileCount(3).setGridRows(1).setGridColumns(2).setVisualTokens(18))
      .build();
  private List<Step> steps = new ArrayList<>(List.of(step(token(1, 12, 0.5f)), step(token(0, 11, 0.125f))));
  private Finished finished = Finished.newBuilder().addAllTokenIds(List.of(11, 12, 4)).setText("Yes, a cat")
      .setUsage(Usage.newBuilder().setNfe(2)).build();

  @Test
  void findsNothingInTheSameReply() {
    assertThat(difference()).isEmpty();
  }

  @Test
  void findsAnotherPromptText() {
    prompt = prompt.toBuilder().setText("<s>Ho").build();

    assertThat(difference()).hasValue("prompt_text from character 4: \"o\" (expected: \"i\")");
  }

  @Test
  void findsAnotherInputId() {
    prompt = prompt.toBuilder().setInputIds(2, 8).build();

    assertThat(difference()).hasValue("input_ids[2]: 8 (expected: 3)");
  }

  @Test
  void findsAMissingInputId() {
    prompt = prompt.toBuilder().clearInputIds().addInputIds(1).addInputIds(-200).build();

    assertThat(difference()).hasValue("input_ids count: 2 (expected: 3)");
  }

  @Test
  void findsAnotherStop() {
    prompt = prompt.toBuilder().setStops(1, TokenSequence.newBuilder().addIds(5)).build();

    assertThat(difference()).hasValue("stop_ids[1]: [5] (expected: [5, 6])");
  }

  @Test
  void findsAnotherSuffix() {
    prompt = prompt.toBuilder().clearSuffixIds().build();

    assertThat(difference()).hasValue("suffix_ids count: 0 (expected: 1)");
  }

  @Test
  void findsAnotherTileCount() {
    changeVisual(visual -> visual.setTileCount(5));

    assertThat(difference()).hasValue("picture 0 tiles: 5 (expected: 3)");
  }

  @Test
  void findsATurnedGrid() {
    changeVisual(visual -> visual.setGridRows(2).setGridColumns(1));

    assertThat(difference()).hasValueSatisfying(said -> assertThat(said).startsWith("picture 0 grid: "));
  }

  @Test
  void findsAnotherTile() {
    digests = digests.toBuilder().setTileDigests(1, digest("bd")).build();

    assertThat(difference()).hasValue("picture 0 tile digests[1]: bd (expected: bb)");
  }

  @Test
  void findsAMissingPicture() {
    started = started.toBuilder().clearVisuals().build();

    assertThat(difference()).hasValue("pictures: 0 (expected: 1)");
  }

  @Test
  void findsOtherVisualTokens() {
    changeVisual(visual -> visual.setVisualTokens(17));

    assertThat(difference()).hasValue("picture 0 visual tokens: 17 (expected: 18)");
  }

  @Test
  void findsAnotherPromptLength() {
    started = started.toBuilder().setPromptTokens(21).build();

    assertThat(difference()).hasValue("prompt_length: 21 (expected: 20)");
  }

  @Test
  void findsAnotherPosition() {
    steps.set(1, step(token(3, 11, 0.125f)));

    assertThat(difference()).hasValue("step 2 positions[0]: 3 (expected: 0)");
  }

  @Test
  void findsAnotherId() {
    steps.set(0, step(token(1, 13, 0.5f)));

    assertThat(difference()).hasValue("step 1 ids[0]: 13 (expected: 12)");
  }

  @Test
  void findsAConfidenceBeyondTheTolerance() {
    steps.set(0, step(token(1, 12, 0.5f * (1 + 1.2e-4f))));

    assertThat(difference()).hasValueSatisfying(
        said -> assertThat(said).startsWith("step 1 confidence at position 1: 0.50006"));
  }

  @Test
  void acceptsAConfidenceWithinTheTolerance() {
    steps.set(0, step(token(1, 12, 0.5f * (1 + 8e-5f))));

    assertThat(difference()).isEmpty();
  }

  @Test
  void findsAConfidenceThatIsNoNumber() {
    steps.set(0, step(token(1, 12, Float.NaN)));

    assertThat(difference()).isPresent();
  }

  @Test
  void findsASuperfluousCommit() {
    steps.set(1, step(token(0, 11, 0.125f), token(2, 14, 0.1f)));

    assertThat(difference()).hasValue("step 2 positions count: 2 (expected: 1)");
  }

  @Test
  void leavesOutCommitsOfTheMaskItself() {
    steps.set(0, step(token(1, 12, 0.5f), token(2, MASK, 0.3f)));

    assertThat(difference()).isEmpty();
  }

  @Test
  void findsAMissingStep() {
    steps.removeLast();

    assertThat(difference()).hasValue("steps: 1 (expected: 2)");
  }

  @Test
  void findsAnotherNumberOfForwards() {
    finished = finished.toBuilder().setUsage(Usage.newBuilder().setNfe(4)).build();

    assertThat(difference()).hasValue("forwards: 4 (expected: 2)");
  }

  @Test
  void findsOtherFinalIds() {
    finished = finished.toBuilder().clearTokenIds().addTokenIds(11).addTokenIds(12).build();

    assertThat(difference()).hasValue("ids count: 2 (expected: 3)");
  }

  @Test
  void findsAnotherText() {
    finished = finished.toBuilder().setText("Yes, a dog").build();

    assertThat(difference()).hasValue("text_without_special from character 7: \"dog\" (expected: \"cat\")");
  }

  @Test
  void comparesWhatThePublicApiTellsWithoutTheDebuggingService() {
    var reply = new ReplayedReply(Optional.empty(), List.of(), started, steps, finished);

    assertThat(new Comparison(EXPECTED, List.of(VISUAL), MASK).firstDifference(reply)).isEmpty();
  }

  private Optional<String> difference() {
    return new Comparison(EXPECTED, List.of(VISUAL), MASK)
        .firstDifference(new ReplayedReply(Optional.of(prompt), List.of(digests), started, steps, finished));
  }

  private void changeVisual(UnaryOperator<VisualInfo.Builder> change) {
    started = started.toBuilder().setVisuals(0, change.apply(started.getVisuals(0).toBuilder())).build();
  }

  private static Step step(Token... committed) {
    return Step.newBuilder().addAllCommitted(List.of(committed)).build();
  }

  private static Token token(int position, int id, float confidence) {
    return Token.newBuilder().setPosition(position).setTokenId(id).setConfidence(confidence).build();
  }

  private static ByteString digest(String hex) {
    return ByteString.copyFrom(HexFormat.of().parseHex(hex));
  }
}
