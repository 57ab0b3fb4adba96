package io.lladav.gateway;

import io.lladav.gateway.GenerationEvent.Seconds;
import io.lladav.gateway.GenerationEvent.Usage;
import io.lladav.gateway.GenerationRequest.StreamForm;
import io.lladav.model.image.PaddedPlan;
import io.lladav.model.image.TiledPlan;
import io.lladav.model.image.VideoPlan;
import io.lladav.model.image.VisualPlan;
import io.lladav.runtime.RequestContext;
import io.lladav.v1.Appended;
import io.lladav.v1.FinishReason;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.ModelIdentity;
import io.lladav.v1.SecondsByPart;
import io.lladav.v1.Started;
import io.lladav.v1.Step;
import io.lladav.v1.Token;
import io.lladav.v1.VisualInfo;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Writes a generation's events to its client: committed tokens always, provisional ones only while it keeps up.
final class EventWriter {
  private final GenerationRequest request;
  private final ModelIdentity identity;
  private final int answer;
  private final BooleanSupplier ready;
  private final Consumer<GenerateResponse> out;

  /// @param answer which of several answers this is
  /// @param ready whether the client has read what was sent before
  /// @param out takes messages of the wire
  EventWriter(GenerationRequest request, ModelIdentity identity, int answer, BooleanSupplier ready,
      Consumer<GenerateResponse> out) {
    this.request = request;
    this.identity = identity;
    this.answer = answer;
    this.ready = ready;
    this.out = out;
  }

  /// Writes one event; those that clients are not told about are left out.
  void write(GenerationEvent event) {
    switch (event) {
      case GenerationEvent.PromptBuilt _,GenerationEvent.VisualEncoded _ -> {
        // For the debugging service.
      }
      case GenerationEvent.Started started -> out.accept(response().setStarted(started(started)).build());
      case GenerationEvent.Stepped step -> {
        if (request.streamForm() != StreamForm.GROWING_TEXT) {
          out.accept(response().setStep(step(step)).build());
        }
      }
      case GenerationEvent.Grown(String text, int steps) ->
        out.accept(response().setAppended(Appended.newBuilder().setText(text).setStep(steps)).build());
      case GenerationEvent.Finished finished ->
        out.accept(response().setFinished(finished(finished)).build());
    }
  }

  private GenerateResponse.Builder response() {
    return GenerateResponse.newBuilder().setAnswer(answer);
  }

  private Started started(GenerationEvent.Started event) {
    var started = Started.newBuilder()
        .setRequestId(RequestContext.current().map(RequestContext::requestId).orElse(""))
        .setModel(identity)
        .setSeed(request.decoding().sampling().seed())
        .setPromptTokens(event.promptTokens())
        .setGenLength(request.decoding().genLength());
    event.draft().forEach(token -> started.addDraft(token(token)));
    for (int i = 0; i < event.plans().size(); i++) {
      started.addVisuals(visual(request.visuals().get(i), event.plans().get(i)));
    }
    return started.build();
  }

  /// Says how a visual enters the prompt.
  static VisualInfo visual(Visual visual, VisualPlan plan) {
    var first = visual.frames().getFirst();
    var info = VisualInfo.newBuilder()
        .setVisualTokens(plan.tokenCount())
        .setTileCount(plan.tileCount())
        .setWidthPx(first.width())
        .setHeightPx(first.height());
    switch (plan) {
      case TiledPlan tiled -> info.setGridRows(tiled.gridRows()).setGridColumns(tiled.gridColumns());
      case PaddedPlan _,VideoPlan _ -> {
        // Nothing is cut.
      }
    }
    return info.build();
  }

  private Step step(GenerationEvent.Stepped event) {
    var step = Step.newBuilder().setNumber(event.number() + 1).setBlock(event.block());
    event.committed().forEach(token -> step.addCommitted(token(token)));
    // A provisional guess is worth nothing later; a slow reader gets the next one.
    if (ready.getAsBoolean()) {
      event.provisional().forEach(token -> step.addProvisional(token(token)));
    }
    return step.build();
  }

  private static Token token(GenerationEvent.Token token) {
    return Token.newBuilder()
        .setPosition(token.position())
        .setTokenId(token.id())
        .setConfidence((float) token.confidence())
        .setText(token.text())
        .build();
  }

  private static Finished finished(GenerationEvent.Finished event) {
    return Finished.newBuilder()
        .setFinishReason(switch (event.reason()) {
          case STOP -> FinishReason.FINISH_REASON_STOP;
          case LENGTH -> FinishReason.FINISH_REASON_LENGTH;
          case STALLED -> FinishReason.FINISH_REASON_STALLED;
          case BUDGET -> FinishReason.FINISH_REASON_BUDGET;
        })
        .setText(event.text())
        .addAllTokenIds(IntStream.of(event.ids()).boxed().toList())
        .addAllConfidences(floats(event.confidences()))
        .addAllCommitSteps(IntStream.of(event.commitSteps()).boxed().toList())
        .setUsage(usage(event.usage()))
        .build();
  }

  private static List<Float> floats(float[] values) {
    return IntStream.range(0, values.length).mapToObj(i -> values[i]).toList();
  }

  private static io.lladav.v1.Usage usage(Usage usage) {
    return io.lladav.v1.Usage.newBuilder()
        .setPromptTokens(usage.promptTokens())
        .setVisualTokens(usage.visualTokens())
        .setGeneratedTokens(usage.generatedTokens())
        .setNfe(usage.forwards())
        .setSteps(usage.forwards())
        .setTokensPerForward(usage.forwards() == 0 ? 0 : (double) usage.generatedTokens() / usage.forwards())
        .setSeconds(seconds(usage.seconds()))
        .build();
  }

  private static SecondsByPart seconds(Seconds seconds) {
    return SecondsByPart.newBuilder()
        .setTotal(seconds.total())
        .setPrompt(seconds.prompt())
        .setVisual(seconds.visual())
        .setQueue(seconds.queue())
        .setForward(seconds.forward())
        .setPolicy(seconds.policy())
        .build();
  }
}
