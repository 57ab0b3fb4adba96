package io.lladav.decoding;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.decoding.ReplayLog.Replay;
import io.lladav.decoding.ReplayLog.ReplayedStep;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ReplayLogTest {
  private static final Choice FIRST = new Choice(0, 5, 0.9);
  private static final Choice SECOND = new Choice(1, 6, 0.8);
  private static final Choice THIRD = new Choice(2, 7, 0.7);

  private final ReplayLog log = new ReplayLog(Draft.none());

  @Test
  void beforeTheFirstStepThereIsNothingToAskAgain() {
    assertThat(log.before(step(0, new Forward.Full())))
        .isEqualTo(new Replay(List.of(), List.of(), List.of()));
  }

  @Test
  void aFullStepNeedsOnlyTheCanvas() {
    run(step(0, new Forward.Full()), FIRST);
    run(step(1, new Forward.Window(0, 4)), SECOND);

    assertThat(log.before(step(2, new Forward.Full())))
        .isEqualTo(new Replay(List.of(FIRST, SECOND), List.of(), List.of()));
  }

  @Test
  void aWindowNeedsTheFullStepBeforeIt() {
    run(step(0, new Forward.Full()), FIRST);
    run(step(1, new Forward.Full()), SECOND);
    run(step(2, new Forward.Window(0, 4)), THIRD);

    var replay = log.before(step(3, new Forward.Window(0, 4)));

    assertThat(replay.canvas()).containsExactly(FIRST);
    assertThat(replay.steps()).singleElement().satisfies(again -> {
      assertThat(again.step().number()).isEqualTo(1);
      assertThat(again.committed()).isEmpty();
    });
    assertThat(replay.committed()).containsExactly(SECOND, THIRD);
  }

  @Test
  void featuresNeedEveryStepSinceTheLastFullOneWithItsCommits() {
    run(step(0, new Forward.Full()));
    run(step(1, new Forward.Full()), FIRST);
    run(step(2, new Forward.Features(false, false)), SECOND);
    run(step(3, new Forward.Features(true, false)));
    run(step(4, new Forward.Features(false, true)), THIRD);

    var replay = log.before(step(5, new Forward.Features(false, false)));

    assertThat(replay.canvas()).isEmpty();
    assertThat(replay.steps()).extracting(again -> again.step().number()).containsExactly(1, 2, 3, 4);
    assertThat(replay.steps()).extracting(again -> again.step().forward()).containsExactly(new Forward.Full(),
        new Forward.Features(false, false), new Forward.Features(true, false),
        new Forward.Features(false, true));
    assertThat(replay.steps()).extracting(ReplayedStep::committed).containsExactly(List.of(), List.of(FIRST),
        List.of(SECOND), List.of());
    assertThat(replay.committed()).containsExactly(THIRD);
  }

  @Test
  void asksAgainAboutOnePosition() {
    log.answered(new Step(0, 0, 0, new Forward.Full(), 1, 3, new int[]{2, 3}, new int[]{2, 3, 4},
        new double[]{0.1, 0.2, 0.3}));

    var again = log.before(step(1, new Forward.Window(0, 4))).steps().getFirst().step();

    assertThat(again.asked()).containsExactly(2);
    assertThat(again.uniforms()).containsExactly(0.1);
  }

  private void run(Step step, Choice... changes) {
    log.answered(step);
    log.committed(List.of(changes));
  }

  private static Step step(int number, Forward forward) {
    return new Step(number, 0, number, forward, 1, 4, new int[]{3}, new int[]{3}, new double[0]);
  }
}
