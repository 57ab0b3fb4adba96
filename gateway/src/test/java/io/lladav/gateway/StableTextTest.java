package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.Choice;
import io.lladav.decoding.DecodingSettings;
import io.lladav.decoding.Remasking;
import io.lladav.decoding.Sampling;
import io.lladav.decoding.Schedule;
import io.lladav.decoding.Strategy;
import io.lladav.model.prompt.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class StableTextTest {
  private final Tokenizer tokenizer = Tokenizer.load(ScriptedModel.CHECKPOINT);

  @AfterAll
  void close() {
    tokenizer.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain words, one after another",
      "na\u00efve caf\u00e9 \u65e5\u672c\u8a9e \ud83d\ude00\ud83d\ude80!",
      "\u00e9", "\ufffd kept", "  spaces  \n\n\tand tabs "})
  void growsToTheWholeTextWhateverTheOrder(String text) {
    int[] ids = tokenizer.encodeText(text);
    var random = new Random(1);
    for (int round = 0; round < 50; round++) {
      var stable = new StableText(tokenizer, settings(ids.length, List.of()));
      var said = new StringBuilder();
      for (int position : shuffled(ids.length, random)) {
        stable.commit(List.of(new Choice(position, ids[position], 1)));
        said.append(stable.grow());
        assertThat(text).startsWith(said.toString());
      }
      said.append(stable.rest(tokenizer.decodeWithoutSpecial(ids)));
      assertThat(said).hasToString(text);
    }
  }

  @Test
  void neverCutsACharacter() {
    int[] ids = tokenizer.encodeText("\ud83d\ude00");
    assertThat(ids.length).as("tokens of one character").isGreaterThan(1);
    var stable = new StableText(tokenizer, settings(ids.length, List.of()));

    for (int position = 0; position < ids.length - 1; position++) {
      stable.commit(List.of(new Choice(position, ids[position], 1)));
      assertThat(stable.grow()).isEmpty();
    }
    stable.commit(List.of(new Choice(ids.length - 1, ids[ids.length - 1], 1)));

    assertThat(stable.grow()).isEqualTo("\ud83d\ude00");
  }

  @Test
  void holdsBackWhatMayBecomeAStop() {
    int[] stop = {5, 6, 7};
    var stable = new StableText(tokenizer, settings(8, List.of(stop)));

    stable.commit(List.of(new Choice(0, 40, 1), new Choice(1, 5, 1), new Choice(3, 7, 1)));
    assertThat(stable.grow()).isEqualTo(tokenizer.tokenText(40));

    stable.commit(List.of(new Choice(2, 41, 1)));
    assertThat(stable.grow()).isEqualTo(tokenizer.decodeWithoutSpecial(new int[]{5, 41, 7}));
  }

  @Test
  void saysNothingOfAStopNorOfWhatIsBehindIt() {
    var stable = new StableText(tokenizer, settings(4, List.of(new int[]{5, 6})));

    stable.commit(IntStream.range(0, 4).mapToObj(i -> new Choice(i, new int[]{40, 5, 6, 41}[i], 1)).toList());

    assertThat(stable.grow()).isEqualTo(tokenizer.tokenText(40));
    assertThat(stable.rest(tokenizer.tokenText(40))).isEmpty();
  }

  private static List<Integer> shuffled(int count, Random random) {
    var positions = new ArrayList<>(IntStream.range(0, count).boxed().toList());
    Collections.shuffle(positions, random);
    return positions;
  }

  private static DecodingSettings settings(int genLength, List<int[]> stops) {
    return new DecodingSettings(genLength, genLength, new Strategy.Fixed(genLength, new Schedule.Even()),
        Remasking.LOW_CONFIDENCE, new CachePolicy.None(), new Sampling(0, 0, 0), stops, new int[0]);
  }
}
