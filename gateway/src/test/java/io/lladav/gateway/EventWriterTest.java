package io.lladav.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.DecodingSettings;
import io.lladav.decoding.Remasking;
import io.lladav.decoding.Sampling;
import io.lladav.decoding.Schedule;
import io.lladav.decoding.Strategy;
import io.lladav.model.prompt.PromptOptions;
import io.lladav.model.prompt.PromptQuirks;
import io.lladav.model.prompt.ThinkMode;
import io.lladav.model.prompt.VisualPlacement;
import io.lladav.v1.GenerateResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class EventWriterTest {
  private final List<GenerateResponse> written = new ArrayList<>();

  @Test
  void writesGuessesWhileTheClientKeepsUp() {
    writer(true).write(step());

    assertThat(written.getFirst().getStep().getCommittedCount()).isEqualTo(1);
    assertThat(written.getFirst().getStep().getProvisionalCount()).isEqualTo(2);
  }

  @Test
  void writesCommitsAloneWhileTheClientLagsBehind() {
    writer(false).write(step());

    assertThat(written.getFirst().getStep().getCommittedList()).singleElement()
        .satisfies(token -> assertThat(token.getTokenId()).isEqualTo(512));
    assertThat(written.getFirst().getStep().getProvisionalList()).isEmpty();
    assertThat(written.getFirst().getStep().getNumber()).isEqualTo(1);
  }

  private EventWriter writer(boolean ready) {
    var request = new GenerationRequest(List.of(), List.of(),
        new PromptOptions(ThinkMode.NONE, PromptQuirks.REFERENCE, VisualPlacement.LEADING),
        GenerationRequest.MultiImage.LIST, GenerationRequest.Attention.FULL,
        new DecodingSettings(4, 4, new Strategy.Fixed(4, new Schedule.Even()), Remasking.LOW_CONFIDENCE,
            new CachePolicy.None(), new Sampling(0, 7, 0), List.of(), new int[0]),
        Map.of(), GenerationRequest.StreamForm.COMMITS_AND_GUESSES, 1);
    return new EventWriter(request, ScriptedModel.identity(), 0, () -> ready, written::add);
  }

  private static GenerationEvent step() {
    return new GenerationEvent.Stepped(0, 0, List.of(new GenerationEvent.Token(1, 512, 0.9, "a")),
        List.of(new GenerationEvent.Token(0, 77, 0.3, "b"), new GenerationEvent.Token(2, 78, 0.2, "c")));
  }
}
