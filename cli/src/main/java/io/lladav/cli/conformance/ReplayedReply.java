package io.lladav.cli.conformance;

import io.lladav.internal.debug.v1.PromptDetail;
import io.lladav.internal.debug.v1.ReplayResponse;
import io.lladav.internal.debug.v1.VisualDetail;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.Started;
import io.lladav.v1.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a cluster made of a request: its whole event stream.
///
/// @param prompt how the prompt came out; only the debugging service tells
/// @param visuals how the pictures were cut; only the debugging service tells
record ReplayedReply(Optional<PromptDetail> prompt, List<VisualDetail> visuals, Started started,
    List<Step> steps,
    Finished finished) {

  /// Collects the events of one reply.
  static final class Collector {
    private Optional<PromptDetail> prompt = Optional.empty();
    private final List<VisualDetail> visuals = new ArrayList<>();
    private Started started = Started.getDefaultInstance();
    private final List<Step> steps = new ArrayList<>();
    private Finished finished = Finished.getDefaultInstance();

    void add(ReplayResponse response) {
      switch (response.getContentCase()) {
        case PROMPT -> prompt = Optional.of(response.getPrompt());
        case VISUAL -> visuals.add(response.getVisual());
        case EVENT -> add(response.getEvent());
        case CONTENT_NOT_SET -> throw new GoldenException("the debugging service sent an empty message");
      }
    }

    void add(GenerateResponse event) {
      switch (event.getEventCase()) {
        case STARTED -> started = event.getStarted();
        case STEP -> steps.add(event.getStep());
        case FINISHED -> finished = event.getFinished();
        case APPENDED, EVENT_NOT_SET ->
          throw new GoldenException(
              "the gateway sent " + event.getEventCase() + ", not an event of a replay");
      }
    }

    ReplayedReply collect() {
      return new ReplayedReply(prompt, List.copyOf(visuals), started, List.copyOf(steps), finished);
    }
  }
}
