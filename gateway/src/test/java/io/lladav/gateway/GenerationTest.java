package io.lladav.gateway;

import static io.lladav.gateway.Requests.animation;
import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static io.lladav.gateway.Requests.video;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import io.lladav.internal.denoiser.v1.SegmentEmbeddings;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.internal.projector.v1.PaddedPicture;
import io.lladav.internal.projector.v1.TiledPicture;
import io.lladav.internal.projector.v1.VideoFrames;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.internal.vision.v1.PictureLayout;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.FinishReason;
import io.lladav.v1.MultiImage;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Token;
import io.lladav.v1.Video;
import io.lladav.v1.VisualInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class GenerationTest {
  private final Cluster cluster;

  GenerationTest() throws InterruptedException {
    cluster = Cluster.start();
  }

  @AfterEach
  void stop() throws InterruptedException {
    cluster.requireAllEnded();
    cluster.close();
  }

  @Test
  void tellsStartedThenStepsThenFinished() throws Exception {
    var reply = cluster.client.generate(question("What is this?"));

    assertThat(reply.events()).hasSize(6);
    assertThat(reply.events().getFirst().hasStarted()).isTrue();
    assertThat(reply.events().getLast().hasFinished()).isTrue();
    assertThat(reply.steps()).extracting(io.lladav.v1.Step::getNumber).containsExactly(1, 2, 3, 4);
    assertThat(reply.started().getSeed()).isEqualTo(7);
    assertThat(reply.started().getGenLength()).isEqualTo(8);
    assertThat(reply.started().getModel()).isEqualTo(ScriptedModel.identity());
    assertThat(reply.started().getVisualsList()).isEmpty();
    assertThat(reply.started().getRequestId()).isNotEmpty();
    assertThat(cluster.denoiserServer().requestIds).contains(reply.started().getRequestId());
    assertThat(cluster.denoiser.sessions.getFirst().opening().getSegmentsList())
        .singleElement()
        .satisfies(segment -> assertThat(segment.getText().getIdsCount())
            .isEqualTo(reply.started().getPromptTokens()));
  }

  @Test
  void commitsEveryPositionOnceAndFinishesWithTheseIds() throws Exception {
    var reply = cluster.client.generate(question("What is this?"));

    assertThat(reply.committed()).hasSize(8);
    var ids = new HashMap<Integer, Integer>();
    for (Token token : reply.committed()) {
      assertThat(ids.put(token.getPosition(), token.getTokenId())).as("position committed before").isNull();
    }
    assertThat(reply.ids()).isEqualTo(IntStream.range(0, 8).mapToObj(ids::get).toList());
    assertThat(reply.finished().getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
    for (var step : reply.steps()) {
      assertThat(step.getCommittedList()).hasSize(2);
      assertThat(step.getCommitted(0).getConfidence()).isGreaterThan(step.getCommitted(1).getConfidence());
      assertThat(step.getProvisionalList()).isEmpty();
    }
  }

  @Test
  void commitsTheMostConfidentOfWhatTheDenoiserSays() throws Exception {
    float[] confidences = {0.1f, 0.9f, 0.3f, 0.8f};
    cluster.denoiser.play((session, step) -> session.answer(scripted(step,
        position -> 100 + 10 * step.getNumber() + position, position -> confidences[position])));

    var reply = cluster.client.generate(question("?").setDecoding(length(4, 2)));

    assertThat(reply.steps().get(0).getCommittedList()).containsExactly(token(1, 101, 0.9f),
        token(3, 103, 0.8f));
    assertThat(reply.steps().get(1).getCommittedList()).containsExactly(token(2, 112, 0.3f),
        token(0, 110, 0.1f));
    assertThat(reply.ids()).containsExactly(110, 101, 112, 103);
    assertThat(reply.finished().getText()).isEqualTo(decoded(110, 101, 112, 103));
  }

  @Test
  void asksOnlyForMaskedPositionsAndTellsWhatWasCommitted() throws Exception {
    float[] confidences = {0.1f, 0.9f, 0.3f, 0.8f};
    cluster.denoiser.play((session, step) -> session.answer(
        scripted(step, position -> 200 + position, position -> confidences[position])));

    cluster.client.generate(question("?").setDecoding(length(4, 2).setTemperature(0)));

    var steps = cluster.denoiser.sessions.getFirst().steps;
    assertThat(steps).hasSize(2);
    assertThat(steps.get(0).getPositionsList()).containsExactly(0, 1, 2, 3);
    assertThat(steps.get(0).getCommittedPositionsList()).isEmpty();
    assertThat(steps.get(0).getUniformsList()).isEmpty();
    assertThat(steps.get(1).getPositionsList()).containsExactly(0, 2);
    assertThat(steps.get(1).getCommittedPositionsList()).containsExactly(1, 3);
    assertThat(steps.get(1).getCommittedIdsList()).containsExactly(201, 203);
  }

  @Test
  void runsBlocksFromLeftToRight() throws Exception {
    var reply = cluster.client.generate(question("?").setDecoding(length(8, 4).setBlockLength(4)));

    assertThat(reply.steps()).extracting(io.lladav.v1.Step::getBlock).containsExactly(0, 0, 1, 1);
    assertThat(reply.steps()).extracting(io.lladav.v1.Step::getNumber).containsExactly(1, 2, 3, 4);
    assertThat(reply.committed().subList(0, 4)).allMatch(token -> token.getPosition() < 4);
    assertThat(reply.committed().subList(4, 8)).allMatch(token -> token.getPosition() >= 4);
    assertThat(cluster.denoiser.sessions.getFirst().steps)
        .extracting(StepRequest::getPositionsCount)
        .containsExactly(4, 2, 4, 2);
  }

  @Test
  void tellsTheTraceThatTheContractShows() throws Exception {
    int[][] candidates = {{77, 512, ScriptedModel.END_OF_TURN, 99}, {78, 0, 0, 0}};
    float[][] confidences = {{0.31f, 0.91f, 0.88f, 0.2f}, {0.64f, 0, 0, 0}};
    cluster.denoiser.play((session, step) -> session.answer(
        scripted(step, position -> candidates[step.getNumber()][position],
            position -> confidences[step.getNumber()][position])));

    var reply = cluster.client.generate(question("?").setDecoding(length(4, 2).clearStop())
        .setStream(StreamOptions.newBuilder().setProvisional(true)));

    assertThat(reply.steps().get(0)).isEqualTo(io.lladav.v1.Step.newBuilder()
        .setNumber(1)
        .addCommitted(token(1, 512, 0.91f))
        .addCommitted(token(2, ScriptedModel.END_OF_TURN, 0.88f).toBuilder().clearText())
        .addProvisional(token(0, 77, 0.31f))
        .build());
    assertThat(reply.steps().get(1)).isEqualTo(
        io.lladav.v1.Step.newBuilder().setNumber(2).addCommitted(token(0, 78, 0.64f)).build());
    assertThat(reply.finished().getFinishReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
    assertThat(reply.ids()).containsExactly(78, 512);
    assertThat(reply.finished().getText()).isEqualTo(decoded(78, 512));
    assertThat(reply.finished().getUsage().getGeneratedTokens()).isEqualTo(2);
  }

  @Test
  void guessesAtEveryMaskedPositionWhenAsked() throws Exception {
    var reply = cluster.client.generate(question("?").setDecoding(length(8, 4).setBlockLength(4))
        .setStream(StreamOptions.newBuilder().setProvisional(true)));
    var plain = cluster.client.generate(question("?").setDecoding(length(8, 4).setBlockLength(4)));

    assertThat(reply.steps()).extracting(io.lladav.v1.Step::getProvisionalCount).containsExactly(6, 4, 2, 0);
    var decided = new ArrayList<Integer>();
    for (var step : reply.steps()) {
      step.getCommittedList().forEach(token -> decided.add(token.getPosition()));
      assertThat(step.getProvisionalList()).extracting(Token::getPosition).isSorted()
          .doesNotContainAnyElementsOf(decided);
    }
    assertThat(reply.ids()).isEqualTo(plain.ids());
  }

  @Test
  void neverShowsTheMaskAsText() throws Exception {
    cluster.denoiser.play((session, step) -> session.answer(scripted(step,
        position -> position == 1 ? ScriptedModel.MASK : 100 + position,
        position -> position == 1 ? 0.1f : 0.9f)));

    var reply = cluster.client.generate(question("?").setDecoding(length(4, 4))
        .setStream(StreamOptions.newBuilder().setProvisional(true)));

    assertThat(reply.ids()).containsExactly(100, ScriptedModel.MASK, 102, 103);
    assertThat(reply.finished().getText()).isEqualTo(decoded(100, 102, 103));
    assertThat(reply.steps().toString()).doesNotContain("mdm_mask");
    assertThat(reply.steps()).flatExtracting(io.lladav.v1.Step::getCommittedList).hasSize(3)
        .extracting("position").doesNotContain(1);
    assertThat(reply.steps()).flatExtracting(io.lladav.v1.Step::getProvisionalList)
        .extracting("position").doesNotContain(1);
  }

  @Test
  void endsWithTheMasksThatAModelInsistsOn() throws Exception {
    cluster.denoiser.play((session, step) -> session.answer(
        scripted(step, _ -> ScriptedModel.MASK, _ -> 0.5f)));

    var reply = cluster.client.generate(question("?").setDecoding(length(4, 2)));

    assertThat(reply.ids()).containsOnly(ScriptedModel.MASK).hasSize(4);
    assertThat(reply.finished().getText()).isEmpty();
    assertThat(reply.finished().getUsage().getNfe()).isEqualTo(2);
  }

  @Test
  void reportsUsage() throws Exception {
    var reply = cluster.client.generate(question("?").setDecoding(length(8, 4).setSuffix("The end")));

    var usage = reply.finished().getUsage();
    int suffix = reply.ids().size() - 8;
    assertThat(suffix).isPositive();
    assertThat(cluster.denoiser.sessions.getFirst().opening().getSuffixIdsList())
        .isEqualTo(reply.ids().subList(8, 8 + suffix));
    assertThat(reply.finished().getText()).endsWith("The end");
    assertThat(usage.getPromptTokens()).isEqualTo(reply.started().getPromptTokens());
    assertThat(usage.getVisualTokens()).isZero();
    assertThat(usage.getGeneratedTokens()).isEqualTo(8);
    assertThat(usage.getNfe()).isEqualTo(4);
    assertThat(usage.getSteps()).isEqualTo(4);
    assertThat(usage.getTokensPerForward()).isEqualTo(2);
    assertThat(usage.getSeconds().getQueue()).isCloseTo(4 * 0.25, within(1e-9));
    assertThat(usage.getSeconds().getForward()).isCloseTo(4 * 0.5, within(1e-9));
    assertThat(usage.getSeconds().getTotal()).isPositive();
    assertThat(usage.getSeconds().getPrompt()).isPositive();
  }

  @Test
  void drawsASeedAndRepeatsTheReplyWithIt() throws Exception {
    var unseeded = question("?").setDecoding(length(8, 4).setTemperature(0.7).clearSeed());
    var first = cluster.client.generate(unseeded);
    var second = cluster.client.generate(
        question("?").setDecoding(length(8, 4).setTemperature(0.7).setSeed(first.started().getSeed())));
    var third = cluster.client.generate(unseeded);

    assertThat(second.committed()).isEqualTo(first.committed());
    assertThat(third.started().getSeed()).isNotEqualTo(first.started().getSeed());
    assertThat(third.ids()).isNotEqualTo(first.ids());
    var uniforms = cluster.denoiser.sessions.getFirst().steps.getFirst().getUniformsList();
    assertThat(uniforms).hasSize(8).doesNotHaveDuplicates().allMatch(u -> u >= 0 && u < 1);
  }

  @Test
  void commitsAtRandomWhenAsked() throws Exception {
    var random = length(8, 4).setRemasking(io.lladav.v1.Remasking.REMASKING_RANDOM);
    var first = cluster.client.generate(question("?").setDecoding(random.setSeed(1)));
    var again = cluster.client.generate(question("?").setDecoding(random.setSeed(1)));
    var other = cluster.client.generate(question("?").setDecoding(random.setSeed(2)));

    assertThat(again.committed()).isEqualTo(first.committed());
    assertThat(order(other)).isNotEqualTo(order(first));
    assertThat(cluster.denoiser.sessions.getFirst().steps.getFirst().getUniformsList()).isEmpty();
  }

  @Test
  void opensTheSessionWithTheSettings() throws Exception {
    cluster.client.generate(question("?").setDecoding(length(8, 4).setCfgScale(1.5)
        .setTemperature(0.25)
        .setAttention(io.lladav.v1.Attention.ATTENTION_DIALOGUE_CAUSAL)));

    var open = cluster.denoiser.sessions.getFirst().opening();
    assertThat(open.getModel()).isEqualTo(ScriptedModel.identity());
    assertThat(open.getGenLength()).isEqualTo(8);
    assertThat(open.getCfgScale()).isEqualTo(1.5);
    assertThat(open.getTemperature()).isEqualTo(0.25);
    assertThat(open.getAttention()).isEqualTo(io.lladav.v1.Attention.ATTENTION_DIALOGUE_CAUSAL);
    assertThat(open.getCommittedPositionsList()).isEmpty();
  }

  @Test
  void sendsAPictureThroughVisionAndProjectorToTheDenoiser() throws Exception {
    var file = picture("shapes-640x480.png");
    var reply = cluster.client.generate(Requests.of(user(image(file), text("What is this?"))));

    var seen = cluster.vision.calls.getFirst();
    assertThat(cluster.vision.calls).hasSize(1);
    assertThat(seen.bytes()).isEqualTo(file);
    assertThat(seen.description().getCheckpointDigest())
        .isEqualTo(ScriptedModel.identity().getCheckpointDigest());
    assertThat(seen.description().getByteCount()).isEqualTo(file.size());
    assertThat(seen.description().getWidthPx()).isEqualTo(640);
    assertThat(seen.description().getHeightPx()).isEqualTo(480);
    assertThat(seen.description().getLayout()).isEqualTo(PictureLayout.PICTURE_LAYOUT_TILED);
    var projected = cluster.projector.calls.getFirst();
    assertThat(projected.description().getTiled())
        .isEqualTo(TiledPicture.newBuilder().setWidthPx(640).setHeightPx(480).build());
    assertThat(projected.features).isEqualTo(ScriptedVision.features(0));
    var session = cluster.denoiser.sessions.getFirst();
    assertThat(session.opening().getSegmentsList()).hasSize(3);
    assertThat(session.opening().getSegments(1).getVisual().getRowCount()).isEqualTo(2929);
    assertThat(session.opening().getSegments(1).getVisual().getDigest().size()).isEqualTo(32);
    assertThat(session.embeddings).extracting(SegmentEmbeddings::getSegment).containsOnly(1);
    assertThat(session.embeddings).extracting(SegmentEmbeddings::getChunk)
        .isEqualTo(ScriptedProjector.embeddings(0));
    assertThat(reply.started().getVisualsList()).containsExactly(VisualInfo.newBuilder()
        .setVisualTokens(2929)
        .setTileCount(5)
        .setGridRows(2)
        .setGridColumns(2)
        .setWidthPx(640)
        .setHeightPx(480)
        .build());
    assertThat(reply.finished().getUsage().getVisualTokens()).isEqualTo(2929);
    assertThat(reply.started().getPromptTokens()).isEqualTo(
        2929 + session.opening().getSegments(0).getText().getIdsCount()
            + session.opening().getSegments(2).getText().getIdsCount());
  }

  @Test
  void numbersTheRowsOfAVideoOverItsFrames() throws Exception {
    var frames = IntStream.range(0, 3).mapToObj(i -> picture("frame-%d.png".formatted(i))).toList();
    var reply = cluster.client.generate(
        Requests.of(user(video(frames.toArray(ByteString[]::new)), text("What happens?"))));

    assertThat(cluster.vision.calls).extracting(ScriptedVision.Call::bytes).isEqualTo(frames);
    assertThat(cluster.vision.calls).extracting(call -> call.description().getLayout())
        .containsOnly(PictureLayout.PICTURE_LAYOUT_FRAME);
    assertThat(cluster.projector.calls).hasSize(1);
    var projected = cluster.projector.calls.getFirst();
    assertThat(projected.description().getVideo())
        .isEqualTo(VideoFrames.newBuilder().setFrameCount(3).build());
    assertThat(projected.features).extracting(TensorChunk::getFirstRow).containsExactly(0L, 3L, 7L, 10L, 14L,
        17L);
    assertThat(projected.features).extracting(TensorChunk::getData).isEqualTo(Stream.of(0, 1, 2)
        .flatMap(call -> ScriptedVision.features(call).stream())
        .map(TensorChunk::getData)
        .toList());
    assertThat(cluster.denoiser.sessions.getFirst().embeddings).extracting(SegmentEmbeddings::getChunk)
        .isEqualTo(ScriptedProjector.embeddings(0));
    assertThat(reply.started().getVisualsList()).singleElement().satisfies(info -> {
      assertThat(info.getTileCount()).isEqualTo(3);
      assertThat(info.getVisualTokens()).isEqualTo(3 * 14 * 15);
      assertThat(info.getGridRows()).isZero();
    });
  }

  @Test
  void sendsAnAnimationOnceWithTheFramesToLookAt() throws Exception {
    var file = picture("animated.gif");
    var all = Video.newBuilder().setData(file);
    var two = Video.newBuilder().setData(file).setFrameCount(2);
    var reply = cluster.client
        .generate(Requests.of(user(animation(all), animation(two), text("What happens?"))));

    assertThat(cluster.vision.calls).extracting(ScriptedVision.Call::bytes).containsExactly(file, file);
    assertThat(cluster.vision.calls).extracting(call -> call.description().getFrameIndicesList())
        .containsExactly(List.of(0, 1, 2), List.of(0, 2));
    assertThat(cluster.vision.calls).extracting(call -> call.description().getLayout())
        .containsOnly(PictureLayout.PICTURE_LAYOUT_FRAME);
    assertThat(cluster.projector.calls).extracting(call -> call.description().getVideo().getFrameCount())
        .containsExactly(3, 2);
    assertThat(reply.started().getVisualsList()).extracting(VisualInfo::getTileCount).containsExactly(3, 2);
    assertThat(reply.started().getVisuals(0).getWidthPx()).isEqualTo(64);
  }

  @Test
  void anAnimationThatIsAPictureShowsItsFirstFrame() throws Exception {
    cluster.client.generate(Requests.of(user(image(picture("animated.gif")), text("What is this?"))));

    assertThat(cluster.vision.calls).singleElement()
        .satisfies(call -> assertThat(call.description().getFrameIndicesList()).isEmpty());
  }

  @Test
  void squaresSeveralPicturesAndLeavesVideosApart() throws Exception {
    var picture = picture("shapes-384x384.png");
    var parts = new io.lladav.v1.Part[]{image(picture), image(picture), video(picture("frame-0.png")),
        text("?")};
    cluster.client.generate(Requests.of(user(parts)));
    cluster.client.generate(Requests.of(user(parts))
        .setDecoding(length(4, 4).setMultiImage(MultiImage.MULTI_IMAGE_STACKED)));

    assertThat(cluster.vision.calls).extracting(call -> call.description().getLayout())
        .startsWith(PictureLayout.PICTURE_LAYOUT_PADDED, PictureLayout.PICTURE_LAYOUT_PADDED,
            PictureLayout.PICTURE_LAYOUT_FRAME);
    var padded = PaddedPicture.newBuilder().setWidthPx(384).setHeightPx(384);
    assertThat(cluster.projector.calls.get(0).description().getPadded()).isEqualTo(padded.build());
    assertThat(cluster.projector.calls.get(3).description().getPadded())
        .isEqualTo(padded.setStacked(true).build());
    var digests = cluster.denoiser.sessions.stream()
        .flatMap(session -> session.opening().getSegmentsList().stream())
        .filter(segment -> segment.hasVisual())
        .map(segment -> segment.getVisual().getDigest())
        .toList();
    assertThat(digests).hasSize(6);
    assertThat(digests.get(0)).as("the same picture").isEqualTo(digests.get(1));
    assertThat(digests.get(0)).as("the same picture laid out otherwise").isNotEqualTo(digests.get(3));
    assertThat(digests.get(2)).as("the same video").isEqualTo(digests.get(5));
    assertThat(digests.get(2)).as("another picture").isNotEqualTo(digests.get(0));
  }

  @Test
  void sendsOnlyTheVisualsThatTheDenoiserLacks() throws Exception {
    cluster.denoiser
        .onOpen(session -> session.send(io.lladav.internal.denoiser.v1.DenoiseResponse.newBuilder()
            .setOpened(io.lladav.internal.denoiser.v1.SessionOpened.newBuilder().addMissingSegments(2))
            .build()));
    cluster.client.generate(
        Requests.of(user(image(picture("frame-0.png")), image(picture("frame-1.png")), text("?"))));

    assertThat(cluster.vision.calls).extracting(ScriptedVision.Call::bytes)
        .containsExactly(picture("frame-1.png"));
    assertThat(cluster.denoiser.sessions.getFirst().embeddings).extracting(SegmentEmbeddings::getSegment)
        .containsOnly(2);
  }

  @Test
  void cutsABigPictureFileIntoPieces() throws Exception {
    var file = picture("shapes-384x384.png").concat(ByteString.copyFrom(new byte[3 << 20]));
    cluster.client.generate(Requests.of(user(image(file), text("?"))));

    var call = cluster.vision.calls.getFirst();
    assertThat(call.bytes()).isEqualTo(file);
    assertThat(call.pieces).hasSize(4).allMatch(piece -> piece.size() <= 1 << 20);
  }

  static DecodingSettings.Builder length(int genLength, int steps) {
    return question("").getDecodingBuilder().setGenLength(genLength).setSteps(steps);
  }

  static StepResult scripted(StepRequest step, java.util.function.IntUnaryOperator candidate,
      java.util.function.IntFunction<Float> confidence) {
    var result = StepResult.newBuilder().setNumber(step.getNumber());
    step.getPositionsList().forEach(position -> result.addCandidateIds(candidate.applyAsInt(position))
        .addConfidences(confidence.apply(position)));
    return result.build();
  }

  private static List<Integer> order(Reply reply) {
    return reply.committed().stream().map(Token::getPosition).toList();
  }

  private static Token token(int position, int id, float confidence) {
    return Token.newBuilder()
        .setPosition(position)
        .setTokenId(id)
        .setConfidence(confidence)
        .setText(decoded(id))
        .build();
  }

  private static String decoded(int... ids) {
    try (var tokenizer = Tokenizer.load(ScriptedModel.CHECKPOINT)) {
      return tokenizer.decode(ids);
    }
  }
}
