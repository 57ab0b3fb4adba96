package io.lladav.projector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.Context;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.lladav.internal.projector.v1.PaddedPicture;
import io.lladav.internal.projector.v1.ProjectRequest;
import io.lladav.internal.projector.v1.ProjectResponse;
import io.lladav.internal.projector.v1.TiledPicture;
import io.lladav.internal.projector.v1.VideoFrames;
import io.lladav.internal.projector.v1.VisualDescription;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.model.CheckpointException;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.tensor.TensorWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ProjectorServiceTest {
  /// Floats of the features of one tile: 16 patches.
  private static final int TILE = 32;

  private final ScriptedProjector engine = new ScriptedProjector();
  private ProjectorProcess projector = ProjectorProcess.start(engine, 1 << 20);

  ProjectorServiceTest() {
    forgetWarmUp();
  }

  @AfterEach
  void stop() {
    engine.gate().release(1_000);
    projector.close();
  }

  @Test
  void projectsAndMergesAsThePublicCodeDoes() throws Exception {
    var config = ProjectorProcess.config(Conformance.path("checkpoints/tiny-b"));
    try (var real = ProjectorProcess.start(config, process -> Main.assemble(config, process))) {
      // A tile has 16 rows of 40, so that pieces of 7 rows do not end with tiles.
      var call = send(real, tiled(100, 90).setCheckpointDigest(real.checkpointDigest()), 40, 7,
          Conformance.tensor("tiny-b-image", "vision"));

      var embeddings = read(call);

      var prompt = Conformance.tensor("tiny-b-image", "prompt_embeddings");
      var sameBeginning = Conformance.json("cases/tiny-b/image-shapes-100x90.json");
      var begin = 96 * indexOfVisual(sameBeginning.at("/expect/input_ids"));
      var largest = 0f;
      for (float value : prompt) {
        largest = Math.max(largest, Math.abs(value));
      }
      assertThat(embeddings).containsExactly(
          Arrays.copyOfRange(prompt, begin, begin + embeddings.length), within(1e-4f * largest));
      assertThat(embeddings.length / 96)
          .isEqualTo(sameBeginning.at("/expect/visual_tokens_total").intValue());
    }
  }

  @Test
  void appendsTheNewlineToAPaddedPicture() throws Exception {
    var embeddings = read(send(padded(false), 1, features(TILE)));

    assertThat(embeddings).hasSize(17 * 4);
    assertThat(embeddings).startsWith(0, 1, 0, 1, 2, 3, 2, 3);
    assertThat(embeddings).endsWith(30, 31, 30, 31, -1, -1, -1, -1);
  }

  @Test
  void tellsTheProjectorWhatTilesAreProjectedFor() throws Exception {
    var call = new RequestContext("r-7", null, null).attachTo(Context.ROOT)
        .call(() -> send(padded(true), 16, features(TILE)));
    var _ = read(call);

    assertThat(engine.requests()).containsExactly("r-7");
  }

  @Test
  void appendsNoNewlineToStackedPictures() throws Exception {
    assertThat(read(send(padded(true), 16, features(TILE)))).hasSize(16 * 4);
  }

  @Test
  void shrinksTheFramesOfAVideo() throws Exception {
    var description = describe().setVideo(VideoFrames.newBuilder().setFrameCount(3));

    var embeddings = read(send(description, 5, features(3 * TILE)));

    // Two rows of two patches and a newline, for each frame.
    assertThat(embeddings).hasSize(3 * 2 * 3 * 4);
    assertThat(engine.tilesRun()).hasValue(3);
  }

  @Test
  void projectsATileAsSoonAsItIsWhole() throws Exception {
    var call = projector.client().project();
    write(call, describe().setVideo(VideoFrames.newBuilder().setFrameCount(2)));
    write(call, 2, 16, features(TILE + 4));

    await(() -> engine.tilesRun().get() == 1);
  }

  @Test
  void projectsNoFurtherTileAfterTheClientHasCancelled() throws Exception {
    engine.holders().set(1);
    var call = send(describe().setVideo(VideoFrames.newBuilder().setFrameCount(3)), 16, features(3 * TILE));
    engine.begun().acquire();

    call.cancel("enough", null);
    await(() -> projector.callsInFlight() == 0);
    engine.gate().release(10);
    projector.close();

    assertThat(engine.tilesRun()).hasValue(1);
  }

  @Test
  void refusesVisualsBeyondTheQueue() throws Exception {
    engine.holders().set(1);
    var _ = send(padded(false), 16, features(TILE));
    var _ = send(padded(false), 16, features(TILE));
    engine.begun().acquire();
    await(() -> projector.callsInFlight() == 2);

    // The refusal may come while the features are still being sent.
    assertThatExceptionOfType(StatusException.class)
        .isThrownBy(() -> send(padded(false), 16, features(TILE)).read())
        .withMessage("RESOURCE_EXHAUSTED: project: 2 calls are open (at most 2)");
  }

  @Test
  void refusesVisualsBeyondTheMemory() throws Exception {
    projector.close();
    projector = ProjectorProcess.start(engine, 1000);
    forgetWarmUp();

    // 17 rows of 16 bytes, and one tile's features and embeddings.
    assertThat(read(send(padded(false), 16, features(TILE)))).hasSize(17 * 4);
    fails(send(describe().setVideo(VideoFrames.newBuilder().setFrameCount(10)), 16, features(10 * TILE)),
        "RESOURCE_EXHAUSTED: visual-bytes-max: 1344 bytes needed (at most 1000)");
  }

  @Test
  void refusesDescriptionsOutOfRange() throws Exception {
    refuses(padded(false).setCheckpointDigest("e"),
        "FAILED_PRECONDITION: checkpoint_digest: e (served: %s)".formatted(ProjectorProcess.DIGEST));
    refuses(describe(), "INVALID_ARGUMENT: description: kind: none (expected: tiled, padded or video)");
    refuses(tiled(0, 90), "INVALID_ARGUMENT: description: width: 0 (expected: 1..16777216)");
    refuses(describe().setVideo(VideoFrames.getDefaultInstance()),
        "INVALID_ARGUMENT: description: frames: 0 (expected: 1..4096)");
    refuses(describe().setVideo(VideoFrames.newBuilder().setFrameCount(11)),
        "RESOURCE_EXHAUSTED: visual: 11 tiles (expected: at most 10, tiles-max)");
    refuses(tiled(1000, 1000), "RESOURCE_EXHAUSTED: visual: 17 tiles (expected: at most 10, tiles-max)");
  }

  @Test
  void refusesFeaturesBeforeTheDescription() throws Exception {
    var call = projector.client().project();
    write(call, 2, 16, features(TILE));

    fails(call, "INVALID_ARGUMENT: description: missing (expected: the first message)");
  }

  @Test
  void refusesASecondDescription() throws Exception {
    var call = projector.client().project();
    write(call, padded(false));
    write(call, padded(false));

    fails(call, "INVALID_ARGUMENT: features: none (expected: after the description, features alone)");
  }

  @Test
  void refusesFeaturesThatDoNotFitTheDescription() throws Exception {
    fails(send(padded(false), 16, features(TILE - 2)),
        "INVALID_ARGUMENT: features: 15 rows (expected: 16, 1 tiles of 16)");
    fails(send(padded(false), 16, features(TILE + 2)),
        "INVALID_ARGUMENT: features.shape[0]: 1 (expected: no more rows)");
    var call = projector.client().project();
    write(call, padded(false));
    write(call, 3, 10, features(30));
    fails(call, "INVALID_ARGUMENT: features.shape[1]: 3 (expected: 2)");
    call = projector.client().project();
    write(call, padded(false));
    call.write(ProjectRequest.newBuilder().setFeatures(TensorChunk.newBuilder().addShape(-5)).build());
    fails(call, "INVALID_ARGUMENT: features.data_type: 0 (expected: DATA_TYPE_FLOAT32)");
  }

  @Test
  void doesNotStartWithoutACheckpoint(@TempDir Path directory) {
    var config = ProjectorProcess.config(directory.resolve("none"));

    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> ProjectorProcess.start(config, process -> Main.assemble(config, process)));
  }

  private void refuses(VisualDescription.Builder description, String message) throws Exception {
    var call = projector.client().project();
    write(call, description);
    fails(call, message);
  }

  private static void fails(BlockingClientCall<ProjectRequest, ProjectResponse> call, String message) {
    assertThatExceptionOfType(StatusException.class).isThrownBy(call::read).withMessage(message);
  }

  private void forgetWarmUp() {
    engine.begun().drainPermits();
    engine.tilesRun().set(0);
  }

  private static VisualDescription.Builder describe() {
    return VisualDescription.newBuilder().setCheckpointDigest(ProjectorProcess.DIGEST);
  }

  private static VisualDescription.Builder tiled(int width, int height) {
    return describe().setTiled(TiledPicture.newBuilder().setWidthPx(width).setHeightPx(height));
  }

  private static VisualDescription.Builder padded(boolean stacked) {
    return describe()
        .setPadded(PaddedPicture.newBuilder().setWidthPx(100).setHeightPx(90).setStacked(stacked));
  }

  private BlockingClientCall<ProjectRequest, ProjectResponse> send(VisualDescription.Builder description,
      int rowsPerPiece, float[] features) throws Exception {
    return send(projector, description, 2, rowsPerPiece, features);
  }

  private static BlockingClientCall<ProjectRequest, ProjectResponse> send(ProjectorProcess projector,
      VisualDescription.Builder description, int columns, int rowsPerPiece, float[] features)
      throws Exception {
    var call = projector.client().project();
    write(call, description);
    write(call, columns, rowsPerPiece, features);
    call.halfClose();
    return call;
  }

  private static void write(BlockingClientCall<ProjectRequest, ProjectResponse> call,
      VisualDescription.Builder description) throws Exception {
    call.write(ProjectRequest.newBuilder().setDescription(description).build());
  }

  private static void write(BlockingClientCall<ProjectRequest, ProjectResponse> call, int columns,
      int rowsPerPiece,
      float[] features) throws Exception {
    var writer = new TensorWriter(columns);
    for (int at = 0; at < features.length; at += rowsPerPiece * columns) {
      var piece = FloatBuffer.wrap(features, at, Math.min(rowsPerPiece * columns, features.length - at));
      for (var chunk : writer.write(piece)) {
        call.write(ProjectRequest.newBuilder().setFeatures(chunk).build());
      }
    }
  }

  private static float[] read(BlockingClientCall<ProjectRequest, ProjectResponse> call) throws Exception {
    var values = FloatBuffer.allocate(1 << 16);
    for (var response = call.read(); response != null; response = call.read()) {
      values.put(
          response.getEmbeddings().getData().asReadOnlyByteBuffer().order(java.nio.ByteOrder.LITTLE_ENDIAN)
              .asFloatBuffer());
    }
    return Arrays.copyOf(values.array(), values.position());
  }

  private static int indexOfVisual(JsonNode ids) {
    var index = 0;
    while (ids.get(index).intValue() != -200) {
      index++;
    }
    return index;
  }

  private static float[] features(int count) {
    var features = new float[count];
    for (int i = 0; i < count; i++) {
      features[i] = i;
    }
    return features;
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(1_000_000);
    }
  }
}
