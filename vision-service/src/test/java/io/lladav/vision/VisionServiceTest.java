package io.lladav.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.lladav.internal.vision.v1.EncodeRequest;
import io.lladav.internal.vision.v1.EncodeResponse;
import io.lladav.internal.vision.v1.PictureDescription;
import io.lladav.internal.vision.v1.PictureFacts;
import io.lladav.internal.vision.v1.PictureLayout;
import io.lladav.model.CheckpointException;
import io.lladav.model.image.AnimationDecoder;
import io.lladav.model.image.AnimationLimits;
import io.lladav.model.image.PictureLimits;
import io.lladav.model.image.TileCutter;
import io.lladav.model.image.VisualPlanner;
import io.lladav.model.image.VisualSettings;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.tensor.TensorReader;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class VisionServiceTest {
  private static final int PIECE_BYTES = 1 << 20;

  private final ScriptedTower tower = new ScriptedTower(40);
  private VisionProcess vision = VisionProcess.start(tower);
  private final byte[] picture = png(100, 90);

  VisionServiceTest() throws Exception {
    forgetWarmUp(tower);
  }

  @AfterEach
  void stop() {
    tower.gate().release(1_000);
    vision.close();
  }

  @Test
  void encodesAPictureAsThePublicCodeDoes() throws Exception {
    var config = VisionProcess.config(Conformance.path("checkpoints/tiny-b"));
    try (var real = VisionProcess.start(config, process -> Main.assemble(config, process))) {
      var bytes = Files.readAllBytes(Conformance.path("images/shapes-100x90.png"));
      var call = send(real, describe(bytes, 100, 90).setCheckpointDigest(real.checkpointDigest()), bytes);

      var facts = facts(call);
      var features = features(call, facts, 40);

      var expected = Conformance.tensor("tiny-b-image", "vision");
      var largest = 0f;
      for (float value : expected) {
        largest = Math.max(largest, Math.abs(value));
      }
      assertThat(features).hasSameSizeAs(expected);
      assertThat(features).containsExactly(expected, within(1e-4f * largest));
    }
  }

  @Test
  void tellsTheTowerWhatTilesAreEncodedFor() throws Exception {
    var call = new RequestContext("r-7", null, null).attachTo(Context.ROOT)
        .call(() -> send(vision, describe(picture, 100, 90), picture));
    var _ = features(call, facts(call), 40);

    assertThat(tower.requests()).isNotEmpty().containsOnly("r-7");
  }

  @Test
  void tellsTheDigestsOfTheTiles() throws Exception {
    var expected = Conformance.json("images/expect-tiny-b.json").at("/pictures/0");
    var bytes = Files.readAllBytes(Conformance.path("images/shapes-640x480.png"));

    var facts = facts(send(vision, describe(bytes, 640, 480), bytes));

    var digests = new ArrayList<String>();
    digests.add(expected.get("base_sha256").textValue());
    expected.get("tiles_sha256").forEach(digest -> digests.add(digest.textValue()));
    assertThat(
        facts.getTileDigestsList().stream().map(digest -> HexFormat.of().formatHex(digest.toByteArray())))
        .isEqualTo(digests);
    assertThat(facts.getTileCount()).isEqualTo(digests.size());
  }

  @Test
  void cutsPaddedPicturesAndFramesToOneTile() throws Exception {
    for (var layout : List.of(PictureLayout.PICTURE_LAYOUT_PADDED, PictureLayout.PICTURE_LAYOUT_FRAME)) {
      var call = send(vision, describe(picture, 100, 90).setLayout(layout), picture);
      var facts = facts(call);
      assertThat(facts.getTileCount()).isEqualTo(1);
      assertThat(features(call, facts, 40)).hasSize(16 * 40);
    }
  }

  @Test
  void encodesTheFramesOfAnAnimation() throws Exception {
    var gif = Files.readAllBytes(Conformance.path("images/animated.gif"));

    var call = send(vision, frames(gif, 0, 2, 2), gif);
    var facts = facts(call);

    var limits = new AnimationLimits(new PictureLimits(64, 10_000), 10_000);
    var plan = new VisualPlanner(
        VisualSettings.parse("anyres_max_9", "(1x1),...,(4x4)", "spatial_unpad", "grid",
            "bilinear", 56, 14))
        .video(1);
    var expected = AnimationDecoder.decode(gif, limits, List.of(0, 2, 2),
        frame -> TileCutter.cut(frame, plan).sha256());
    assertThat(
        facts.getTileDigestsList().stream().map(digest -> HexFormat.of().formatHex(digest.toByteArray())))
        .isEqualTo(expected);
    assertThat(expected.get(0)).isNotEqualTo(expected.get(1));
    assertThat(features(call, facts, 40)).hasSize(3 * 16 * 40);
  }

  @Test
  void refusesFramesThatItCannotEncode() throws Exception {
    var gif = Files.readAllBytes(Conformance.path("images/animated.gif"));

    fails(send(vision, frames(gif, 3), gif),
        "INVALID_ARGUMENT: picture: frame 3 (expected: ascending, of 0..2)");
    fails(send(vision, frames(gif, -1), gif),
        "INVALID_ARGUMENT: picture: frame -1 (expected: ascending, of 0..2)");
    refuses(frames(gif, 0).setLayout(PictureLayout.PICTURE_LAYOUT_TILED),
        "INVALID_ARGUMENT: description.layout: PICTURE_LAYOUT_TILED (expected: FRAME, with frame_indices)");
    refuses(frames(gif, Collections.nCopies(33, 0).toArray(Integer[]::new)),
        "INVALID_ARGUMENT: description.frame_indices: 33 numbers (expected: at most 32)");
    fails(send(vision, frames(picture, 0).setWidthPx(100).setHeightPx(90), picture),
        "INVALID_ARGUMENT: picture: PNG is no animation (expected: GIF or animated WebP; send pictures as frames)");
    // The frames once more: they begin behind the palette of the screen.
    int start = 13 + 3 * (2 << (gif[10] & 7));
    var longer = Arrays.copyOf(gif, 2 * gif.length - 1 - start);
    System.arraycopy(gif, start, longer, gif.length - 1, gif.length - start);
    fails(send(vision, frames(longer, 0), longer), "RESOURCE_EXHAUSTED: picture: 64x48 pixels in 6 frames"
        + " (expected: at most 9216 pixels together); the limit is video-pixels-max");
  }

  @Test
  void takesAPictureInSeveralPieces() throws Exception {
    var large = png(900, 900);
    assertThat(large.length).isBetween(2 * PIECE_BYTES, 3 * PIECE_BYTES);

    var call = send(vision, describe(large, 900, 900), large);

    assertThat(features(call, facts(call), 40)).isNotEmpty();
  }

  @Test
  void waitsForAClientThatDoesNotRead() throws Exception {
    vision.close();
    // A mebibyte of features per tile.
    var wide = new ScriptedTower(16_384);
    vision = VisionProcess.start(wide);
    forgetWarmUp(wide);
    var large = png(900, 900);
    var call = send(vision, describe(large, 900, 900), large);
    var facts = facts(call);
    assertThat(facts.getTileCount()).isEqualTo(17);
    await(() -> wide.tilesRun().get() > 0);
    LockSupport.parkNanos(Duration.ofMillis(500).toNanos());

    assertThat(wide.tilesRun()).hasValueLessThan(12);
    assertThat(features(call, facts, 16_384)).hasSize(17 * 16 * 16_384);
  }

  @Test
  void encodesNoFurtherTileAfterTheClientHasCancelled() throws Exception {
    tower.holders().set(1);
    var call = send(vision, describe(picture, 100, 90), picture);
    tower.begun().acquire();

    call.cancel("enough", null);
    await(() -> vision.callsInFlight() == 0);
    tower.gate().release(10);
    vision.close();

    assertThat(tower.tilesRun()).hasValue(1);
  }

  @Test
  void encodesNoFurtherTileAfterTheDeadline() throws Exception {
    tower.holders().set(1);
    var call = vision.client().withDeadlineAfter(Duration.ofSeconds(2)).encode();
    send(call, describe(picture, 100, 90), picture);
    tower.begun().acquire();
    assertThat(call.read()).isNotNull();

    assertThatExceptionOfType(StatusException.class).isThrownBy(call::read)
        .withMessageStartingWith("DEADLINE_EXCEEDED");
    await(() -> vision.callsInFlight() == 0);
    tower.gate().release(10);
    vision.close();

    assertThat(tower.tilesRun()).hasValue(1);
  }

  @Test
  void refusesPicturesBeyondTheQueue() throws Exception {
    tower.holders().set(1);
    var first = send(vision, describe(picture, 100, 90), picture);
    var second = send(vision, describe(picture, 100, 90), picture);
    assertThat(first.read()).isNotNull();
    assertThat(second.read()).isNotNull();

    // The refusal may come while the picture is still being sent.
    assertThatExceptionOfType(StatusException.class)
        .isThrownBy(() -> send(vision, describe(picture, 100, 90), picture).read())
        .withMessage("RESOURCE_EXHAUSTED: encode: 2 calls are open (at most 2)");
  }

  @Test
  void refusesAPictureFromItsDescription() throws Exception {
    refuses(describe(picture, 100, 90).setCheckpointDigest("e"),
        "FAILED_PRECONDITION: checkpoint_digest: e (served: %s)".formatted(VisionProcess.DIGEST));
    refuses(describe(picture, 100, 90).setByteCount(0),
        "INVALID_ARGUMENT: description.byte_count: 0 (expected: at least 1)");
    refuses(describe(picture, 100, 90).setByteCount(Long.MAX_VALUE),
        "RESOURCE_EXHAUSTED: picture: 9223372036854775807 bytes"
            + " (expected: at most 3145728, image-bytes-max)");
    refuses(describe(picture, 0, 90), "INVALID_ARGUMENT: description: width: 0 (expected: 1..16777216)");
    refuses(describe(picture, 100, 90).clearLayout(),
        "INVALID_ARGUMENT: description.layout: PICTURE_LAYOUT_UNSPECIFIED"
            + " (expected: TILED, PADDED or FRAME)");
  }

  @Test
  void refusesDataBeforeTheDescription() throws Exception {
    var call = vision.client().encode();
    call.write(EncodeRequest.newBuilder().setData(ByteString.copyFrom(picture)).build());

    fails(call, "INVALID_ARGUMENT: description: missing (expected: the first message)");
  }

  @Test
  void refusesOtherBytesThanAnnounced() throws Exception {
    fails(send(vision, describe(picture, 100, 90).setByteCount(picture.length - 1), picture),
        "INVALID_ARGUMENT: data: more than %d bytes (expected: byte_count as announced)"
            .formatted(picture.length - 1));
    fails(send(vision, describe(picture, 100, 90).setByteCount(picture.length + 1), picture),
        "INVALID_ARGUMENT: data: %d bytes (expected: %d as announced)".formatted(picture.length,
            picture.length + 1));
  }

  @Test
  void refusesAPictureOfAnotherSizeThanAnnounced() throws Exception {
    fails(send(vision, describe(picture, 100, 91), picture),
        "INVALID_ARGUMENT: picture: 100x90 pixels (expected: 100x91, as announced)");
  }

  @Test
  void refusesPicturesThatAreTooLarge() throws Exception {
    var large = png(1001, 1000);
    fails(send(vision, describe(large, 1001, 1000), large), "RESOURCE_EXHAUSTED: picture: 1001x1000 pixels"
        + " (expected: at most 1000000 pixels); the limit is image-pixels-max");
    var tall = png(1, 2001);
    fails(send(vision, describe(tall, 1, 2001), tall), "RESOURCE_EXHAUSTED: picture: 1x2001 pixels"
        + " (expected: a side of at most 2000 pixels); the limit is image-side-max");
  }

  @Test
  void refusesToCutWhereTheCheckpointOnlyPads() throws Exception {
    vision.close();
    vision = VisionProcess.start(tower, "pad");

    fails(send(vision, describe(picture, 100, 90), picture), "INVALID_ARGUMENT: description.layout: "
        + "layout: tiled (expected: padded, because image_aspect_ratio is pad)");
  }

  @Test
  void refusesBytesThatAreNoPicture() throws Exception {
    var text = "This is no picture.".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    assertThatExceptionOfType(StatusException.class)
        .isThrownBy(() -> send(vision, describe(text, 100, 90), text).read())
        .withMessageStartingWith("INVALID_ARGUMENT: picture: ");
  }

  @Test
  void doesNotStartWithoutACheckpoint(@TempDir Path directory) {
    var config = VisionProcess.config(directory.resolve("none"));

    assertThatExceptionOfType(CheckpointException.class)
        .isThrownBy(() -> VisionProcess.start(config, process -> Main.assemble(config, process)));
  }

  private void refuses(PictureDescription.Builder description, String message) throws Exception {
    var call = vision.client().encode();
    call.write(EncodeRequest.newBuilder().setDescription(description).build());
    fails(call, message);
  }

  private static void fails(BlockingClientCall<EncodeRequest, EncodeResponse> call, String message) {
    assertThatExceptionOfType(StatusException.class).isThrownBy(call::read).withMessage(message);
  }

  private static PictureDescription.Builder describe(byte[] bytes, int width, int height) {
    return PictureDescription.newBuilder().setCheckpointDigest(VisionProcess.DIGEST)
        .setByteCount(bytes.length)
        .setWidthPx(width).setHeightPx(height).setLayout(PictureLayout.PICTURE_LAYOUT_TILED);
  }

  private static PictureDescription.Builder frames(byte[] animation, Integer... indices) {
    return describe(animation, 64, 48).setLayout(PictureLayout.PICTURE_LAYOUT_FRAME)
        .addAllFrameIndices(List.of(indices));
  }

  private static BlockingClientCall<EncodeRequest, EncodeResponse> send(VisionProcess vision,
      PictureDescription.Builder description, byte[] bytes) throws Exception {
    return send(vision.client().encode(), description, bytes);
  }

  private static BlockingClientCall<EncodeRequest, EncodeResponse> send(
      BlockingClientCall<EncodeRequest, EncodeResponse> call, PictureDescription.Builder description,
      byte[] bytes)
      throws Exception {
    call.write(EncodeRequest.newBuilder().setDescription(description).build());
    for (int at = 0; at < bytes.length; at += PIECE_BYTES) {
      call.write(EncodeRequest.newBuilder()
          .setData(ByteString.copyFrom(bytes, at, Math.min(PIECE_BYTES, bytes.length - at))).build());
    }
    call.halfClose();
    return call;
  }

  private static PictureFacts facts(BlockingClientCall<EncodeRequest, EncodeResponse> call) throws Exception {
    var first = call.read();
    assertThat(first.hasFacts()).isTrue();
    return first.getFacts();
  }

  private static float[] features(BlockingClientCall<EncodeRequest, EncodeResponse> call, PictureFacts facts,
      int width) throws Exception {
    var reader = new TensorReader("features", width, facts.getTileCount() * 16L);
    var features = FloatBuffer.allocate(facts.getTileCount() * 16 * width);
    for (var response = call.read(); response != null; response = call.read()) {
      features.put(reader.read(response.getFeatures()));
    }
    assertThat(reader.isComplete()).isTrue();
    return features.array();
  }

  private static void forgetWarmUp(ScriptedTower tower) {
    tower.begun().drainPermits();
    tower.tilesRun().set(0);
  }

  /// A picture of noise, which cannot be compressed.
  private static byte[] png(int width, int height) throws Exception {
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    var random = new Random(1);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, random.nextInt());
      }
    }
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(1_000_000);
    }
  }
}
