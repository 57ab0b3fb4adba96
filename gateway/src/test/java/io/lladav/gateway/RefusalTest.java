package io.lladav.gateway;

import static io.lladav.gateway.Requests.animation;
import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.message;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.pngHeader;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static io.lladav.gateway.Requests.video;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.Status;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Draft;
import io.lladav.v1.DraftPart;
import io.lladav.v1.FactorQuirks;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.LogitBias;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Remasking;
import io.lladav.v1.Role;
import io.lladav.v1.Schedule;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Strategy;
import io.lladav.v1.StreamMode;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Video;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every refused request, one row each. No row may reach a service behind the gateway.
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RefusalTest {
  private static final Limits LIMITS = new Limits(64, 6, 400, 200_000, 1_000_000, 2000, 4, 3, 9_216, 5,
      1000, 2, 4, 3, 8, 0, 1);
  private static final UnknownFieldSet UNKNOWN = UnknownFieldSet.newBuilder()
      .addField(99, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
      .build();

  private final Cluster cluster;

  RefusalTest() throws InterruptedException {
    cluster = new Cluster.Setup().limits(LIMITS).start();
  }

  @AfterAll
  void stop() {
    cluster.close();
  }

  @ParameterizedTest(name = "{1}: {2}")
  @MethodSource({"settings", "drafts", "strategies", "caches", "unknown", "dialogues", "pictures"})
  void refusesNamingTheField(GenerateRequest request, String field, String message) throws Exception {
    var failure = cluster.client.refused(request);

    assertThat(failure.message()).isEqualTo(message);
    assertThat(failure.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(failure.fields()).containsExactly(field);
    assertThat(failure.reasons()).containsExactly("INVALID_REQUEST");
    assertThat(failure.hasRetry()).isFalse();
    assertThat(cluster.denoiser.sessions).isEmpty();
    assertThat(cluster.vision.calls).isEmpty();
  }

  @ParameterizedTest(name = "{1}: {2}")
  @MethodSource("tooMuch")
  void refusesNamingTheLimit(GenerateRequest request, String limit, String message) throws Exception {
    var failure = cluster.client.refused(request);

    assertThat(failure.message()).isEqualTo(message);
    assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(failure.limits()).containsExactly(limit);
    assertThat(failure.reasons()).containsExactly("LIMIT_EXCEEDED");
    assertThat(failure.hasRetry()).isFalse();
    assertThat(cluster.denoiser.sessions).isEmpty();
    assertThat(cluster.vision.calls).isEmpty();
  }

  static Stream<Arguments> settings() {
    return Stream.of(
        setting(d -> d.setGenLength(0), "gen_length", "0 (expected: 1..64)"),
        setting(d -> d.setGenLength(-1), "gen_length", "-1 (expected: 1..64)"),
        setting(d -> d.setGenLength(65), "gen_length", "65 (expected: 1..64)"),
        setting(d -> d.setGenLength(Integer.MAX_VALUE), "gen_length", "2147483647 (expected: 1..64)"),
        setting(d -> d.setBlockLength(0), "block_length", "0 (expected: a divisor of gen_length 8)"),
        setting(d -> d.setBlockLength(-4), "block_length", "-4 (expected: a divisor of gen_length 8)"),
        setting(d -> d.setBlockLength(3), "block_length", "3 (expected: a divisor of gen_length 8)"),
        setting(d -> d.setBlockLength(16), "block_length", "16 (expected: a divisor of gen_length 8)"),
        setting(d -> d.setSteps(0), "steps", "0 (expected: 1..64)"),
        setting(d -> d.setSteps(-1), "steps", "-1 (expected: 1..64)"),
        setting(d -> d.setSteps(65), "steps", "65 (expected: 1..64)"),
        setting(d -> d.setBlockLength(4).setSteps(3), "steps",
            "3 (expected: a multiple of 2, the number of blocks)"),
        setting(d -> d.setTemperature(-0.1), "temperature", "-0.1 (expected: 0..1000)"),
        setting(d -> d.setTemperature(Double.NaN), "temperature", "NaN (expected: 0..1000)"),
        setting(d -> d.setTemperature(Double.POSITIVE_INFINITY), "temperature",
            "Infinity (expected: 0..1000)"),
        setting(d -> d.setTemperature(1000.5), "temperature", "1000.5 (expected: 0..1000)"),
        setting(d -> d.setCfgScale(1000.5), "cfg_scale", "1000.5 (expected: 0..1000)"),
        setting(d -> d.setCfgScale(-1), "cfg_scale", "-1.0 (expected: 0..1000)"),
        setting(d -> d.setCfgScale(Double.NaN), "cfg_scale", "NaN (expected: 0..1000)"),
        setting(d -> d.setCfgScale(Double.NEGATIVE_INFINITY), "cfg_scale",
            "-Infinity (expected: 0..1000)"),
        setting(d -> d.setStop(StopStrings.newBuilder().addValues("a").addValues("")), "stop.values[1]",
            "empty (expected: one character or more)"),
        setting(d -> d.setStop(StopStrings.newBuilder().addValues("a").addValues("b").addValues("c")), "stop",
            "3 strings (expected: at most 2 strings)"),
        setting(d -> d.setSuffix("1 2 3 4 5 6 7 8 9"), "suffix", "17 tokens (expected: at most 6 tokens)"));
  }

  static Stream<Arguments> drafts() {
    return Stream.of(
        setting(d -> d.setMaxNfe(0), "max_nfe", "0 (expected: 1..)"),
        setting(d -> d.setMaxNfe(-1), "max_nfe", "-1 (expected: 1..)"),
        setting(d -> d.setDraft(Draft.getDefaultInstance()), "draft.parts", "none (expected: at least one)"),
        setting(d -> d.setDraft(Draft.newBuilder().addParts(DraftPart.getDefaultInstance())),
            "draft.parts[0]",
            "nothing set (expected: text or hole)"),
        setting(d -> d.setDraft(draft(hole(2), fixed(""))), "draft.parts[1].text",
            "empty (expected: one character or more)"),
        setting(d -> d.setDraft(draft(hole(0))), "draft.parts[0].hole", "0 (expected: 1..64)"),
        setting(d -> d.setDraft(draft(hole(-3))), "draft.parts[0].hole", "-3 (expected: 1..64)"),
        setting(d -> d.setDraft(draft(hole(65))), "draft.parts[0].hole", "65 (expected: 1..64)"),
        setting(d -> d.setDraft(draft(hole(64), hole(1))), "draft", "65 positions (expected: at most 64)"),
        setting(d -> d.setDraft(draft(hole(9))), "draft", "9 positions (expected: at most gen_length 8)"),
        setting(d -> d.clearGenLength().setBlockLength(4).setDraft(draft(hole(6))), "block_length",
            "4 (expected: a divisor of gen_length 6)"),
        setting(d -> d.addLogitBiases(bias(-1, 1)), "logit_biases[0].token_id", "-1 (expected: 0..1016)"),
        setting(d -> d.addLogitBiases(bias(5, 1)).addLogitBiases(bias(1017, 1)), "logit_biases[1].token_id",
            "1017 (expected: 0..1016)"),
        setting(d -> d.addLogitBiases(bias(5, 100.5f)), "logit_biases[0].bias",
            "100.5 (expected: -100..100)"),
        setting(d -> d.addLogitBiases(bias(5, Float.NaN)), "logit_biases[0].bias",
            "NaN (expected: -100..100)"),
        setting(d -> d.addLogitBiases(bias(5, Float.NEGATIVE_INFINITY)), "logit_biases[0].bias",
            "-Infinity (expected: -100..100)"),
        setting(d -> d.addLogitBiases(bias(5, 1)).addBannedTokenIds(5), "banned_token_ids[0]",
            "5 (expected: each id once)"),
        setting(d -> d.addBannedTokenIds(2000), "banned_token_ids[0]", "2000 (expected: 0..1016)"),
        setting(d -> d.addAllBannedTokenIds(List.of(1, 2, 3, 4, 5)), "logit_biases",
            "5 of them and of banned_token_ids (expected: at most 4)"),
        row(question("?").setN(-1), "n", "n: -1 (expected: 1..3, or 0 for one)"),
        row(question("?").setN(4), "n", "n: 4 (expected: 1..3, or 0 for one)"),
        row(question("?").setIdempotencyKey("k".repeat(257)), "idempotency_key",
            "idempotency_key: 257 characters (expected: at most 256)"),
        row(question("?").setIdempotencyKey("k").setStream(StreamOptions.newBuilder().setProvisional(true)),
            "stream.provisional", "stream.provisional: true (expected: false, since idempotency_key is set)"),
        row(question("?").setStream(StreamOptions.newBuilder().setModeValue(9)), "stream.mode",
            "stream.mode: 9 (expected: a value of its enumeration)"),
        row(question("?").setStream(StreamOptions.newBuilder().setProvisional(true)
            .setMode(StreamMode.STREAM_MODE_BLOCK_APPEND)), "stream.provisional",
            "stream.provisional: true (expected: false, since stream.mode is BLOCK_APPEND)"));
  }

  static Stream<Arguments> strategies() {
    return Stream.of(
        setting(d -> threshold(d).setThreshold(-0.1), "threshold", "-0.1 (expected: 0..1)"),
        setting(d -> threshold(d).setThreshold(1.1), "threshold", "1.1 (expected: 0..1)"),
        setting(d -> threshold(d).setThreshold(Double.NaN), "threshold", "NaN (expected: 0..1)"),
        setting(d -> threshold(d).setSteps(4), "steps", "4 (expected: unset, since strategy is threshold)"),
        setting(d -> threshold(d).setSchedule(Schedule.SCHEDULE_EVEN), "schedule",
            "even (expected: unset, since strategy is threshold)"),
        setting(d -> threshold(d).setScheduleAlpha(1), "schedule_alpha",
            "1.0 (expected: unset, since strategy is threshold)"),
        setting(d -> threshold(d).setFactor(1), "factor",
            "1.0 (expected: unset, since strategy is threshold)"),
        setting(d -> threshold(d).setFactorQuirks(FactorQuirks.FACTOR_QUIRKS_NONE), "factor_quirks",
            "none (expected: unset, since strategy is threshold)"),
        setting(d -> threshold(d).setRemasking(Remasking.REMASKING_RANDOM), "remasking",
            "random (expected: low_confidence, since strategy is threshold)"),
        setting(d -> factor(d).setRemasking(Remasking.REMASKING_ENTROPY), "remasking",
            "entropy (expected: low_confidence, since strategy is factor)"),
        setting(d -> factor(d).setRemasking(Remasking.REMASKING_MARGIN), "remasking",
            "margin (expected: low_confidence, since strategy is factor)"),
        setting(d -> factor(d).setSteps(4), "steps", "4 (expected: unset, since strategy is factor)"),
        setting(d -> factor(d).setThreshold(0.5), "threshold",
            "0.5 (expected: unset, since strategy is factor)"),
        setting(d -> factor(d).setScheduleValue(9), "schedule",
            "9 (expected: unset, since strategy is factor)"),
        setting(d -> factor(d).setFactor(0), "factor", "0.0 (expected: above 0, to 1000)"),
        setting(d -> factor(d).setFactor(1000.5), "factor", "1000.5 (expected: above 0, to 1000)"),
        setting(d -> factor(d).setFactor(Double.NaN), "factor", "NaN (expected: above 0, to 1000)"),
        setting(d -> d.setThreshold(0.9), "threshold", "0.9 (expected: unset, since strategy is fixed)"),
        setting(d -> d.setFactor(1), "factor", "1.0 (expected: unset, since strategy is fixed)"),
        setting(d -> d.setFactorQuirks(FactorQuirks.FACTOR_QUIRKS_REFERENCE), "factor_quirks",
            "reference (expected: unset, since strategy is fixed)"),
        setting(d -> d.setScheduleAlpha(0.5), "schedule_alpha",
            "0.5 (expected: unset, since schedule is even)"),
        setting(d -> d.setSchedule(Schedule.SCHEDULE_SHIFTED).setScheduleAlpha(0), "schedule_alpha",
            "0.0 (expected: above 0, to 1000)"),
        setting(d -> d.setSchedule(Schedule.SCHEDULE_SHIFTED).setScheduleAlpha(1001), "schedule_alpha",
            "1001.0 (expected: above 0, to 1000)"));
  }

  static Stream<Arguments> caches() {
    return Stream.of(
        setting(d -> d.setCache(Cache.CACHE_ADAPTIVE), "cache",
            "adaptive is not served by this release (expected: none, prefix, dual or interval)"),
        setting(d -> d.setRefreshInterval(4), "refresh_interval",
            "4 (expected: unset, since cache is none)"),
        setting(d -> d.setRefreshInterval(0), "refresh_interval",
            "0 (expected: unset, since cache is none)"),
        setting(d -> d.setPromptInterval(25), "prompt_interval",
            "25 (expected: unset, since cache is none)"),
        setting(d -> d.setCache(Cache.CACHE_PREFIX).setGenInterval(7), "gen_interval",
            "7 (expected: unset, since cache is prefix)"),
        setting(d -> d.setCache(Cache.CACHE_DUAL).setTransferRatio(0), "transfer_ratio",
            "0.0 (expected: unset, since cache is dual)"),
        setting(d -> d.setCache(Cache.CACHE_INTERVAL).setRefreshInterval(4), "refresh_interval",
            "4 (expected: unset, since cache is interval)"),
        setting(d -> d.setCache(Cache.CACHE_PREFIX).setRefreshInterval(0), "refresh_interval",
            "0 (expected: 1..64)"),
        setting(d -> d.setCache(Cache.CACHE_DUAL).setRefreshInterval(65), "refresh_interval",
            "65 (expected: 1..64)"),
        setting(d -> d.setCache(Cache.CACHE_INTERVAL).setPromptInterval(0), "prompt_interval",
            "0 (expected: 1..64)"),
        setting(d -> d.setCache(Cache.CACHE_INTERVAL).setGenInterval(65), "gen_interval",
            "65 (expected: 1..64)"),
        setting(d -> d.setCache(Cache.CACHE_INTERVAL).setTransferRatio(1.5), "transfer_ratio",
            "1.5 (expected: 0..1)"),
        setting(d -> d.setCache(Cache.CACHE_INTERVAL).setTransferRatio(Double.NaN), "transfer_ratio",
            "NaN (expected: 0..1)"));
  }

  static Stream<Arguments> unknown() {
    return Stream.of(
        setting(d -> d.setRemaskingValue(9), "remasking", "9 (expected: a value of its enumeration)"),
        setting(d -> d.setStrategyValue(42), "strategy", "42 (expected: a value of its enumeration)"),
        setting(d -> d.setCacheValue(-1), "cache", "-1 (expected: a value of its enumeration)"),
        setting(d -> d.setScheduleValue(9), "schedule", "9 (expected: a value of its enumeration)"),
        setting(d -> factor(d).setFactorQuirksValue(9), "factor_quirks",
            "9 (expected: a value of its enumeration)"),
        setting(d -> d.setThinkModeValue(9), "think_mode", "9 (expected: a value of its enumeration)"),
        setting(d -> d.setAttentionValue(9), "attention", "9 (expected: a value of its enumeration)"),
        setting(d -> d.setPromptQuirksValue(9), "prompt_quirks", "9 (expected: a value of its enumeration)"),
        setting(d -> d.setMultiImageValue(9), "multi_image", "9 (expected: a value of its enumeration)"),
        setting(d -> d.setImagePlacementValue(9), "image_placement",
            "9 (expected: a value of its enumeration)"),
        unknownField(question("?").setUnknownFields(UNKNOWN), "request", "GenerateRequest"),
        unknownField(question("?").setDecoding(DecodingSettings.newBuilder().setUnknownFields(UNKNOWN)),
            "decoding", "DecodingSettings"),
        unknownField(question("?").setDecoding(DecodingSettings.newBuilder()
            .setStop(StopStrings.newBuilder().setUnknownFields(UNKNOWN))), "decoding.stop", "StopStrings"),
        unknownField(question("?").addMessages(0, user(text("a"),
            Part.newBuilder().setText("b").setUnknownFields(UNKNOWN).build())), "messages[0].parts[1]",
            "Part"),
        unknownField(Requests.of(user(Part.newBuilder()
            .setVideo(Video.newBuilder().addFrames(Image.newBuilder().setUnknownFields(UNKNOWN)))
            .build())), "messages[0].parts[0].video.frames[0]", "Image"));
  }

  static Stream<Arguments> dialogues() {
    return Stream.of(
        row(Requests.of(), "messages", "messages: none (expected: at least one, the last by the user)"),
        row(Requests.of(message(Role.ROLE_UNSPECIFIED, text("a"))), "messages[0].role",
            "messages[0].role: 0 (expected: ROLE_SYSTEM, ROLE_USER or ROLE_ASSISTANT)"),
        row(Requests.of(user(text("a")), Message.newBuilder().setRoleValue(9).build()), "messages[1].role",
            "messages[1].role: 9 (expected: ROLE_SYSTEM, ROLE_USER or ROLE_ASSISTANT)"),
        row(Requests.of(user(text("a")), message(Role.ROLE_ASSISTANT, text("b"))), "messages[1].role",
            "messages[1].role: ASSISTANT (expected: USER in the last message)"),
        row(Requests.of(message(Role.ROLE_SYSTEM, text("a"))), "messages[0].role",
            "messages[0].role: SYSTEM (expected: USER in the last message)"),
        row(Requests.of(user(text("a")), message(Role.ROLE_SYSTEM, text("b")), user(text("c"))),
            "messages[1].role",
            "messages[1].role: SYSTEM (expected: USER or ASSISTANT; SYSTEM stands first)"),
        row(Requests.of(user(text("a"), Part.getDefaultInstance())), "messages[0].parts[1]",
            "messages[0].parts[1]: nothing set (expected: text, image or video)"),
        row(Requests.of(user(video())), "messages[0].parts[0].video.frames",
            "messages[0].parts[0].video.frames: none (expected: at least one, or data)"),
        row(Requests.of(user(animation(Video.newBuilder().setData(picture("animated.gif"))
            .addFrames(Image.getDefaultInstance())))), "messages[0].parts[0].video",
            "messages[0].parts[0].video: frames and data (expected: one of them)"),
        row(Requests
            .of(user(animation(Video.newBuilder().setFrameCount(2).addFrames(Image.getDefaultInstance())))),
            "messages[0].parts[0].video.frame_count", "messages[0].parts[0].video.frame_count: 2"
                + " (expected: unset, since all frames are used; it goes with data)"));
  }

  static Stream<Arguments> pictures() {
    String field = "messages[0].parts[0].image.data";
    return Stream.of(
        row(Requests.of(user(image(ByteString.EMPTY))), field, field
            + ": picture: unknown format (expected: PNG, JPEG, WebP, GIF, BMP or TIFF)"),
        row(Requests.of(user(image(ByteString.copyFromUtf8("no picture at all")))), field, field
            + ": picture: unknown format (expected: PNG, JPEG, WebP, GIF, BMP or TIFF)"),
        row(Requests.of(user(video(picture("frame-0.png"), ByteString.copyFromUtf8("x")))),
            "messages[0].parts[0].video.frames[1].data", "messages[0].parts[0].video.frames[1].data"
                + ": picture: unknown format (expected: PNG, JPEG, WebP, GIF, BMP or TIFF)"),
        row(Requests.of(user(animation(Video.newBuilder().setData(picture("frame-0.png"))))),
            "messages[0].parts[0].video.data", "messages[0].parts[0].video.data: picture: PNG is no animation"
                + " (expected: GIF or animated WebP; send pictures as frames)"),
        row(Requests
            .of(user(animation(Video.newBuilder().setData(picture("animated.gif")).setFrameCount(0)))),
            "messages[0].parts[0].video.frame_count",
            "messages[0].parts[0].video.frame_count: 0 (expected: at least 1)"),
        row(Requests.of(user(image(pngHeader(0, 7)))), field, field + ": picture: PNG of 0x7 pixels"));
  }

  static Stream<Arguments> tooMuch() {
    String field = "messages[0].parts[0].image.data";
    var frame = picture("frame-0.png");
    String video = "messages[0].parts[0].video.";
    var gif = picture("animated.gif");
    // The frames once more: they begin behind the palette of the screen.
    var longer = gif.substring(0, gif.size() - 1).concat(gif.substring(13 + 3 * (2 << (gif.byteAt(10) & 7))));
    return Stream.of(
        row(Requests.of(user(animation(Video.newBuilder().setData(longer)))),
            "limits.video-pixels-max", video + "data: picture: 64x48 pixels in 6 frames"
                + " (expected: at most 9216 pixels together); the limit is limits.video-pixels-max"),
        row(Requests.of(user(animation(Video.newBuilder().setData(ByteString.copyFrom(new byte[200_001]))))),
            "limits.image-bytes-max",
            video + "data: 200001 bytes (expected: at most 200000, limits.image-bytes-max)"),
        row(Requests.of(user(animation(Video.newBuilder().setData(gif).setFrameCount(4)))),
            "limits.video-frames-max",
            video + "frame_count: 4 frames (expected: at most 3, limits.video-frames-max)"),
        row(Requests.of(user(image(pngHeader(30_000, 30_000)))), "limits.image-side-max",
            field + ": picture: 30000x30000 pixels (expected: a side of at most 2000 pixels)"
                + "; the limit is limits.image-side-max"),
        row(Requests.of(user(image(pngHeader(1500, 1500)))), "limits.image-pixels-max",
            field + ": picture: 1500x1500 pixels (expected: at most 1000000 pixels)"
                + "; the limit is limits.image-pixels-max"),
        row(Requests.of(user(image(frame.concat(ByteString.copyFrom(new byte[200_000]))))),
            "limits.image-bytes-max",
            "%s: %d bytes (expected: at most 200000, limits.image-bytes-max)".formatted(field,
                frame.size() + 200_000)),
        row(Requests.of(user(Collections.nCopies(5, image(frame)).toArray(Part[]::new))), "limits.images-max",
            "messages: 5 pictures and frames (expected: at most 4, limits.images-max)"),
        row(Requests.of(user(video(frame, frame, frame), image(frame), image(frame))), "limits.images-max",
            "messages: 5 pictures and frames (expected: at most 4, limits.images-max)"),
        row(Requests.of(user(video(frame, frame, frame, frame))), "limits.video-frames-max",
            "messages[0].parts[0].video.frames: 4 frames (expected: at most 3, limits.video-frames-max)"),
        row(Requests.of(Collections.nCopies(6, user(text("a"))).toArray(Message[]::new)),
            "limits.messages-max",
            "messages: 6 messages (expected: at most 5, limits.messages-max)"),
        row(question("x".repeat(1001)), "limits.text-chars-max",
            "messages: 1001 characters of text (expected: at most 1000, limits.text-chars-max)"),
        row(question("x".repeat(999)).setDecoding(DecodingSettings.newBuilder().setSuffix("yy")),
            "limits.text-chars-max",
            "messages: 1001 characters of text (expected: at most 1000, limits.text-chars-max)"));
  }

  @Test
  void refusesAPromptThatIsTooLongForPictures() throws Exception {
    var failure = cluster.client.refused(Requests.of(user(image(picture("frame-0.png")), text("?"))));

    assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(failure.limits()).containsExactly("limits.prompt-positions-max");
    assertThat(failure.message()).matches("messages: \\d+ prompt positions, \\d+ of them visual "
        + "\\(expected: at most 400, limits.prompt-positions-max\\); shorten the dialogue or leave out pictures");
    assertThat(cluster.vision.calls).isEmpty();
  }

  @Test
  void refusesAMessageThatIsTooLargeToRead() throws Exception {
    var request = question("?").addMessages(0, user(image(ByteString.copyFrom(new byte[64 << 20])))).build();
    var failure = cluster.client.refused(request);

    assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(failure.limits()).containsExactly("grpc.message-bytes-max");
    assertThat(failure.reasons()).containsExactly("LIMIT_EXCEEDED");
    assertThat(failure.message()).isEqualTo(
        "message: gRPC message exceeds maximum size 67108864: %d".formatted(request.getSerializedSize())
            + " (expected: at most 67108864 bytes, grpc.message-bytes-max)");
  }

  @Test
  void refusesATextThatIsTooLong() throws Exception {
    var failure = cluster.client.refused(question("1 2 3 4 5 6 7 8 9 ".repeat(50)));

    assertThat(failure.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(failure.limits()).containsExactly("limits.prompt-positions-max");
    assertThat(failure.message())
        .contains("prompt positions, 0 of them visual (expected: at most 400, limits.prompt-positions-max)");
  }

  @Test
  void acceptsEverySettingAtItsBounds() throws Exception {
    try (var other = new Cluster.Setup().limits(LIMITS).start()) {
      var settings = List.<UnaryOperator<DecodingSettings.Builder>>of(
          d -> d.setGenLength(1).setSteps(1),
          d -> d.setGenLength(64).setSteps(64),
          d -> d.setBlockLength(1).setSteps(8),
          d -> d.setBlockLength(8).setSteps(1),
          d -> d.setTemperature(0),
          d -> d.setTemperature(-0.0),
          d -> d.setTemperature(Double.MIN_VALUE),
          d -> d.setCfgScale(0),
          d -> d.setCfgScale(1000),
          d -> d.setSeed(Long.MIN_VALUE),
          d -> d.setSeed(Long.MAX_VALUE),
          d -> d.setStrategy(Strategy.STRATEGY_FIXED).setCache(Cache.CACHE_NONE),
          d -> threshold(d).setThreshold(0),
          d -> threshold(d).setThreshold(1).setRemasking(Remasking.REMASKING_LOW_CONFIDENCE),
          d -> factor(d).setFactor(1000).setFactorQuirks(FactorQuirks.FACTOR_QUIRKS_NONE),
          d -> factor(d).setFactor(Double.MIN_VALUE),
          d -> d.setSchedule(Schedule.SCHEDULE_EVEN),
          d -> d.setSchedule(Schedule.SCHEDULE_SHIFTED).setScheduleAlpha(1000),
          d -> d.setCache(Cache.CACHE_PREFIX).setRefreshInterval(64),
          d -> d.setCache(Cache.CACHE_DUAL).setRefreshInterval(1),
          d -> d.setCache(Cache.CACHE_INTERVAL).setPromptInterval(64).setGenInterval(1).setTransferRatio(1),
          d -> d.setCache(Cache.CACHE_INTERVAL).setTransferRatio(0),
          d -> d.setStop(StopStrings.newBuilder().addValues("a").addValues("<|eot_id|>")),
          d -> d.setSuffix("1 2 3"));
      for (var setting : settings) {
        var request = question("?").setDecoding(setting.apply(question("?").getDecodingBuilder()));
        assertThat(other.client.generate(request).finished().getTokenIdsList()).isNotEmpty();
      }
      other.requireAllEnded();
    }
  }

  @Test
  void leavesUnsetSettingsAtThePublishedDefaults() throws Exception {
    try (var other = Cluster.start()) {
      var reply = other.client.generate(GenerateRequest.newBuilder().addMessages(user(text("?"))));

      assertThat(reply.started().getGenLength()).isEqualTo(128);
      assertThat(reply.steps()).hasSize(128).allMatch(step -> step.getCommittedCount() == 1);
      assertThat(reply.finished().getTokenIdsCount()).isEqualTo(128);
    }
  }

  private static Arguments setting(UnaryOperator<DecodingSettings.Builder> change, String name, String rest) {
    String field = "decoding." + name;
    return row(question("?").setDecoding(change.apply(question("?").getDecodingBuilder())), field,
        field + ": " + rest);
  }

  private static LogitBias bias(int id, float value) {
    return LogitBias.newBuilder().setTokenId(id).setBias(value).build();
  }

  private static Draft draft(DraftPart... parts) {
    return Draft.newBuilder().addAllParts(List.of(parts)).build();
  }

  private static DraftPart fixed(String text) {
    return DraftPart.newBuilder().setText(text).build();
  }

  private static DraftPart hole(int positions) {
    return DraftPart.newBuilder().setHole(positions).build();
  }

  private static DecodingSettings.Builder threshold(DecodingSettings.Builder settings) {
    return settings.clearSteps().setStrategy(Strategy.STRATEGY_THRESHOLD);
  }

  private static DecodingSettings.Builder factor(DecodingSettings.Builder settings) {
    return settings.clearSteps().setStrategy(Strategy.STRATEGY_FACTOR);
  }

  private static Arguments unknownField(GenerateRequest.Builder request, String field, String type) {
    return row(request, field,
        "%s: field number 99 is not known to this server (expected: the fields of lladav.v1.%s)"
            .formatted(field, type));
  }

  private static Arguments row(GenerateRequest.Builder request, String name, String message) {
    return arguments(request.build(), name, message);
  }
}
