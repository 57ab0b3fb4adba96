package io.lladav.gateway;

import io.lladav.v1.Finished;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.Started;
import io.lladav.v1.Step;
import io.lladav.v1.Token;
import java.util.List;

/// The events of a finished reply.
record Reply(List<GenerateResponse> events) {
  Started started() {
    return events.getFirst().getStarted();
  }

  List<Step> steps() {
    return events.stream().filter(GenerateResponse::hasStep).map(GenerateResponse::getStep).toList();
  }

  Finished finished() {
    return events.getLast().getFinished();
  }

  List<Integer> ids() {
    return finished().getTokenIdsList();
  }

  List<Token> committed() {
    return steps().stream().flatMap(step -> step.getCommittedList().stream()).toList();
  }
}
