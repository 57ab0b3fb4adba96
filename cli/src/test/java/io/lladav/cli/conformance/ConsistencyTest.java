package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.v1.Finished;
import io.lladav.v1.Started;
import io.lladav.v1.Step;
import io.lladav.v1.Token;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ConsistencyTest {
  private static final ReplayedReply ALONE = reply(List.of(11, 12), step(token(1, 12, 0.5f)),
      step(token(0, 11, 0.125f)));

  @Test
  void takesConfidencesThatDifferByRounding() {
    assertThat(difference(List.of(11, 12), step(token(1, 12, 0.500009f)), step(token(0, 11, 0.124991f))))
        .isEmpty();
  }

  @Test
  void findsAConfidenceThatDiffersByMore() {
    assertThat(difference(List.of(11, 12), step(token(1, 12, 0.5f)), step(token(0, 11, 0.12502f))))
        .hasValue("step 2 confidence at position 0: 0.12502 (before: 0.125)");
  }

  @Test
  void findsAConfidenceThatIsNoNumber() {
    assertThat(difference(List.of(11, 12), step(token(1, 12, Float.NaN)), step(token(0, 11, 0.125f))))
        .hasValue("step 1 confidence at position 1: NaN (before: 0.5)");
  }

  @Test
  void findsAnotherId() {
    assertThat(difference(List.of(11, 13), step(token(1, 13, 0.5f)), step(token(0, 11, 0.125f))))
        .hasValue("step 1 id at position 1: 13 (before: 12)");
  }

  @Test
  void findsAnotherOrder() {
    assertThat(difference(List.of(11, 12), step(token(0, 11, 0.125f)), step(token(1, 12, 0.5f))))
        .hasValue("step 1 positions: [0] (before: [1])");
  }

  @Test
  void findsAnotherNumberOfSteps() {
    assertThat(difference(List.of(11, 12), step(token(1, 12, 0.5f)))).hasValue("steps: 1 (before: 2)");
  }

  @Test
  void findsAnotherReply() {
    assertThat(difference(List.of(11), step(token(1, 12, 0.5f)), step(token(0, 11, 0.125f))))
        .hasValue("ids: [11] (before: [11, 12])");
  }

  private static Optional<String> difference(List<Integer> ids, Step... steps) {
    return Consistency.firstDifference(ALONE, reply(ids, steps));
  }

  private static ReplayedReply reply(List<Integer> ids, Step... steps) {
    return new ReplayedReply(Optional.empty(), List.of(), Started.getDefaultInstance(), List.of(steps),
        Finished.newBuilder().addAllTokenIds(ids).build());
  }

  private static Step step(Token token) {
    return Step.newBuilder().addCommitted(token).build();
  }

  private static Token token(int position, int id, float confidence) {
    return Token.newBuilder().setPosition(position).setTokenId(id).setConfidence(confidence).build();
  }
}
