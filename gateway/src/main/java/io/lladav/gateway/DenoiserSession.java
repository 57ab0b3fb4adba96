package io.lladav.gateway;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.Choice;
import io.lladav.decoding.DecodingSettings;
import io.lladav.decoding.Forward;
import io.lladav.decoding.Step;
import io.lladav.internal.denoiser.v1.Certainty;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.Features;
import io.lladav.internal.denoiser.v1.FeaturesForward;
import io.lladav.internal.denoiser.v1.KeysAndValues;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.PromptSegment;
import io.lladav.internal.denoiser.v1.SegmentEmbeddings;
import io.lladav.internal.denoiser.v1.SessionCache;
import io.lladav.internal.denoiser.v1.StepPolicy;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.internal.denoiser.v1.TextSegment;
import io.lladav.internal.denoiser.v1.VisualSegment;
import io.lladav.internal.denoiser.v1.WindowForward;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.model.prompt.PromptSegment.TextIds;
import io.lladav.model.prompt.PromptSegment.VisualSlot;
import io.lladav.v1.Attention;
import io.lladav.v1.ModelIdentity;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The gateway's end of one generation's stream to a denoiser. The stream is the session: closing it frees
/// everything there. Used by one thread.
///
/// Every failure is a [BackendException].
final class DenoiserSession implements AutoCloseable {
  private final BackendCall<DenoiseRequest, DenoiseResponse> call;
  private boolean draining;
  // Results the denoiser still sends for what it was asked last.
  private int ahead;

  private DenoiserSession(BackendCall<DenoiseRequest, DenoiseResponse> call) {
    this.call = call;
  }

  /// The answer to a step.
  ///
  /// @param candidates one id per asked position
  /// @param confidences the probability of each
  /// @param certainties what orders the candidates, if something else does
  /// @param queueSeconds time spent waiting for the dispatcher
  /// @param forwardSeconds time spent computing
  @SuppressWarnings("ArrayRecordComponent") // read once, compared nowhere
  record Answer(int[] candidates, float[] confidences, float[] certainties, double queueSeconds,
      double forwardSeconds) {}

  /// Opens an empty session on whichever denoiser is chosen by the channel.
  static DenoiserSession open(Backends backends) {
    return new DenoiserSession(backends.denoise());
  }

  /// Describes prompt and canvas; answers which visuals' embeddings must be sent.
  ///
  /// @param digests content digest of each visual, by its index
  /// @param committed what stands on the canvas when the session begins
  /// @param policy how steps are decided, if the denoiser may run several per call
  /// @return indexes into the prompt's segments
  List<Integer> begin(ModelIdentity model, GenerationRequest request, CanvasPlan plan, List<byte[]> digests,
      List<Choice> committed, Optional<StepPolicy> policy)
      throws InterruptedException {
    var open = describe(model, request, plan, digests, committed);
    policy.ifPresent(open::setPolicy);
    call.send(DenoiseRequest.newBuilder()
        .setOpen(open)
        .build());
    var response = receive();
    if (!response.hasOpened()) {
      throw unexpected(response, "opened");
    }
    return response.getOpened().getMissingSegmentsList();
  }

  /// Sends some rows of a segment's embeddings, as they came from the projector.
  void sendEmbeddings(int segment, TensorChunk rows) throws InterruptedException {
    call.send(DenoiseRequest.newBuilder()
        .setEmbeddings(SegmentEmbeddings.newBuilder().setSegment(segment).setChunk(rows))
        .build());
  }

  /// Answers one step's candidates: those of a step that the denoiser has run ahead to, or else by asking.
  ///
  /// @param committed what was committed since this session's last step
  /// @param stepsMax steps the denoiser may run when it is asked; more than 1 only in a session that began with a policy
  Answer run(Step step, List<Choice> committed, int stepsMax) throws InterruptedException {
    if (ahead > 0) {
      ahead--;
    } else {
      ask(step, committed, stepsMax);
      ahead = stepsMax - 1;
    }
    var response = receive();
    if (!response.hasStepResult() || response.getStepResult().getNumber() != step.number()) {
      throw unexpected(response, "the result of step " + step.number());
    }
    return answer(response.getStepResult());
  }

  private void ask(Step step, List<Choice> committed, int stepsMax) throws InterruptedException {
    var request = StepRequest.newBuilder().setNumber(step.number()).setStepsMax(stepsMax);
    committed
        .forEach(choice -> request.addCommittedPositions(choice.position()).addCommittedIds(choice.id()));
    IntStream.of(step.asked()).forEach(request::addPositions);
    for (double uniform : step.uniforms()) {
      request.addUniforms(uniform);
    }
    switch (step.forward()) {
      case Forward.Full _ -> {
        // What an unset forward means.
      }
      case Forward.Window(int start, int end) ->
        request.setWindow(WindowForward.newBuilder().setStart(start).setEnd(end));
      case Forward.Features(boolean prompt, boolean generated) ->
        request.setFeatures(FeaturesForward.newBuilder().setPrompt(prompt).setGenerated(generated));
    }
    call.send(DenoiseRequest.newBuilder().setStep(request).build());
  }

  /// Whether the denoiser has said that it is about to stop.
  boolean isDraining() { return draining; }

  /// Throws if the denoiser has said that it is about to stop.
  ///
  /// @throws BackendException with UNAVAILABLE then
  void requireStaying() {
    if (draining) {
      throw failure(Status.UNAVAILABLE.withDescription("is about to stop"));
    }
  }

  @Override
  public void close() {
    call.close();
  }

  private DenoiseResponse receive() throws InterruptedException {
    while (true) {
      var response = call.receive();
      if (response == null) {
        throw failure(Status.UNAVAILABLE.withDescription("ended the session"));
      }
      if (!response.hasDraining()) {
        return response;
      }
      draining = true;
    }
  }

  private static Answer answer(StepResult result) {
    return new Answer(result.getCandidateIdsList().stream().mapToInt(Integer::intValue).toArray(),
        floats(result.getConfidencesList()), floats(result.getCertaintiesList()), result.getQueueSeconds(),
        result.getForwardSeconds());
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }

  private static OpenSession.Builder describe(ModelIdentity model, GenerationRequest request, CanvasPlan plan,
      List<byte[]> digests, List<Choice> committed) {
    DecodingSettings decoding = request.decoding();
    var open = OpenSession.newBuilder()
        .setModel(model)
        .setGenLength(decoding.genLength())
        .setCfgScale(decoding.sampling().cfgScale())
        .setTemperature(decoding.sampling().temperature())
        .setAttention(switch (request.attention()) {
          case FULL -> Attention.ATTENTION_FULL;
          case DIALOGUE_CAUSAL -> Attention.ATTENTION_DIALOGUE_CAUSAL;
        })
        .setCertainty(switch (decoding.remasking()) {
          case LOW_CONFIDENCE, RANDOM -> Certainty.CERTAINTY_UNSPECIFIED;
          case ENTROPY -> Certainty.CERTAINTY_NEGATIVE_ENTROPY;
          case MARGIN -> Certainty.CERTAINTY_MARGIN;
        });
    cache(decoding).ifPresent(open::setCache);
    IntStream.of(decoding.suffix()).forEach(open::addSuffixIds);
    for (var segment : plan.prompt().segments()) {
      var described = PromptSegment.newBuilder().setTurn(segment.turn());
      switch (segment) {
        case TextIds(int[] ids, _) ->
          described.setText(TextSegment.newBuilder().addAllIds(IntStream.of(ids).boxed().toList()));
        case VisualSlot(int index, _) -> described.setVisual(VisualSegment.newBuilder()
            .setDigest(UnsafeByteOperations.unsafeWrap(digests.get(index)))
            .setRowCount(plan.plans().get(index).tokenCount()));
      }
      open.addSegments(described);
    }
    committed.forEach(choice -> open.addCommittedPositions(choice.position()).addCommittedIds(choice.id()));
    request.logitBiases().forEach((id, value) -> open.addBiasIds(id).addBiasValues(value));
    return open;
  }

  private static Optional<SessionCache> cache(DecodingSettings decoding) {
    return switch (decoding.cache()) {
      case CachePolicy.None _ -> Optional.empty();
      case CachePolicy.Prefix _,CachePolicy.Dual _ -> Optional.of(
          SessionCache.newBuilder().setKeysAndValues(KeysAndValues.getDefaultInstance()).build());
      case CachePolicy.Interval interval -> Optional.of(SessionCache.newBuilder()
          .setFeatures(Features.newBuilder()
              .setTransferCount(
                  interval.transferCount(decoding.genLength() + decoding.suffix().length)))
          .build());
    };
  }

  private static BackendException unexpected(DenoiseResponse response, String expected) {
    return failure(Status.INTERNAL.withDescription(
        "answered %s (expected: %s)".formatted(response.getContentCase(), expected)));
  }

  private static BackendException failure(Status status) {
    return new BackendException("denoiser-service", status.asException());
  }
}
