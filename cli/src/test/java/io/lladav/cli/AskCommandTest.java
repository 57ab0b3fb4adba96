package io.lladav.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Draft;
import io.lladav.v1.DraftPart;
import io.lladav.v1.FactorQuirks;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.LogitBias;
import io.lladav.v1.Part;
import io.lladav.v1.Remasking;
import io.lladav.v1.Role;
import io.lladav.v1.Schedule;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Strategy;
import io.lladav.v1.ThinkMode;
import io.lladav.v1.Video;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class AskCommandTest {
  @Test
  void leavesEverythingUnsetThatIsNotGiven() throws Exception {
    assertThat(request("Why?").getDecoding()).isEqualTo(DecodingSettings.getDefaultInstance());
  }

  @Test
  void takesTheSettingsByTheNamesOfTheApi() throws Exception {
    var decoding = request("--gen-length", "64", "--block-length=32", "--steps", "16", "--temperature", "0.5",
        "--seed", "-7", "--cfg-scale", "1.5", "--remasking", "random", "--think-mode", "no_think", "--suffix",
        "Done",
        "--stop", "a", "--stop", "b", "--refresh-interval", "4", "Why?").getDecoding();

    assertThat(decoding)
        .isEqualTo(DecodingSettings.newBuilder().setGenLength(64).setBlockLength(32).setSteps(16)
            .setTemperature(0.5).setSeed(-7).setCfgScale(1.5).setRemasking(Remasking.REMASKING_RANDOM)
            .setThinkMode(ThinkMode.THINK_MODE_NO_THINK).setSuffix("Done").setRefreshInterval(4)
            .setStop(StopStrings.newBuilder().addValues("a").addValues("b")).build());
  }

  @Test
  void takesStrategiesAndCaches() throws Exception {
    assertThat(request("--strategy", "threshold", "--threshold", "0.8", "--cache", "prefix",
        "--refresh-interval", "8", "Why?").getDecoding())
        .isEqualTo(DecodingSettings.newBuilder().setStrategy(Strategy.STRATEGY_THRESHOLD).setThreshold(0.8)
            .setCache(Cache.CACHE_PREFIX).setRefreshInterval(8).build());
    assertThat(request("--strategy", "factor", "--factor", "2", "--factor-quirks", "none", "--cache", "dual",
        "Why?").getDecoding())
        .isEqualTo(DecodingSettings.newBuilder().setStrategy(Strategy.STRATEGY_FACTOR).setFactor(2)
            .setFactorQuirks(FactorQuirks.FACTOR_QUIRKS_NONE).setCache(Cache.CACHE_DUAL).build());
    assertThat(
        request("--remasking", "entropy", "--schedule", "shifted", "--schedule-alpha", "0.5", "--cache",
            "interval", "--prompt-interval", "50", "--gen-interval", "5", "--transfer-ratio", "0.1", "Why?")
            .getDecoding())
        .isEqualTo(DecodingSettings.newBuilder().setRemasking(Remasking.REMASKING_ENTROPY)
            .setSchedule(Schedule.SCHEDULE_SHIFTED).setScheduleAlpha(0.5).setCache(Cache.CACHE_INTERVAL)
            .setPromptInterval(50).setGenInterval(5).setTransferRatio(0.1).build());
  }

  @Test
  void takesDraftsBudgetsAndBiases() throws Exception {
    assertThat(
        request("--draft", "Yes: {3}, {{1}.", "--max-nfe", "5", "--ban", "7,9", "--ban", "11", "--bias",
            "512=-2.5", "--bias", "3=1e1", "Why?").getDecoding())
        .isEqualTo(DecodingSettings.newBuilder().setMaxNfe(5).setDraft(Draft.newBuilder()
            .addParts(DraftPart.newBuilder().setText("Yes: ")).addParts(DraftPart.newBuilder().setHole(3))
            .addParts(DraftPart.newBuilder().setText(", {1}.")))
            .addBannedTokenIds(7).addBannedTokenIds(9).addBannedTokenIds(11)
            .addLogitBiases(LogitBias.newBuilder().setTokenId(512).setBias(-2.5f))
            .addLogitBiases(LogitBias.newBuilder().setTokenId(3).setBias(10)).build());
  }

  @Test
  void readsADraftFromAFile(@TempDir Path folder) throws Exception {
    var file = Files.writeString(folder.resolve("draft.txt"), "{2}\nor {4}\n");

    assertThat(request("--draft-file", file.toString(), "Why?").getDecoding().getDraft())
        .isEqualTo(Draft.newBuilder().addParts(DraftPart.newBuilder().setHole(2))
            .addParts(DraftPart.newBuilder().setText("\nor ")).addParts(DraftPart.newBuilder().setHole(4))
            .build());
  }

  @Test
  void asksForSeveralAnswers() throws Exception {
    assertThat(request("--n", "3", "Why?").getN()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "--draft | a {0} | {0} (expected: {N} with 1 position or more; {{ is a brace)",
      "--draft | {some} | {some} (expected: {N} with 1 position or more; {{ is a brace)",
      "--draft | a { b | { (expected: {N} with 1 position or more; {{ is a brace)",
      "--draft | '' | nothing (expected: text with holes, such as 'The answer is {3}.')",
      "--draft-file | nowhere.txt | nowhere.txt: cannot be read: nowhere.txt", "--max-nfe | many | 'many'",
      "--ban | x | 'x'", "--bias | 5 | 5 (expected: ID=BIAS, such as 512=-2.5)",
      "--bias | 5=x | 5=x (expected: ID=BIAS, such as 512=-2.5)",
      "--bias | =1 | =1 (expected: ID=BIAS, such as 512=-2.5)", "--n | few | 'few'",
      "--frame-count | 3 | --frame-count: 3 (expected: with one animated GIF or WebP file in --video)"})
  void namesTheOptionThatIsWrong(String option, String value, String complaint) {
    var complaints = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("ask", option, value, "Why?");

    assertThat(code).isEqualTo(2);
    assertThat(complaints.toString()).contains(option).contains(complaint);
  }

  @Test
  void refusesTwoDrafts(@TempDir Path folder) throws Exception {
    var file = Files.writeString(folder.resolve("draft.txt"), "{2}").toString();
    var complaints = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("ask", "--draft", "{3}",
        "--draft-file", file, "Why?");

    assertThat(code).isEqualTo(2);
    assertThat(complaints.toString()).contains("--draft=TEXT, --draft-file=FILE are mutually exclusive");
  }

  @Test
  void refusesToListConfidencesTwice() {
    var complaints = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("ask", "--json",
        "--confidences",
        "Why?");

    assertThat(code).isEqualTo(2);
    assertThat(complaints.toString()).contains("--confidences: not with --json");
  }

  @Test
  void sendsOneAnimatedFileWholeAndOtherFilesAsFrames(@TempDir Path folder) throws Exception {
    var images = Path.of(System.getProperty("conformance.dir"), "images");
    var gif = images.resolve("animated.gif").toString();
    var still = images.resolve("lossless.webp").toString();
    var animated = Files.write(folder.resolve("a.webp"),
        new byte[]{'R', 'I', 'F', 'F', 9, 0, 0, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0, 0, 2})
        .toString();

    var whole = video("--video", gif, "--frame-count", "3");
    assertThat(whole.getData().toByteArray()).isEqualTo(Files.readAllBytes(Path.of(gif)));
    assertThat(whole.getFrameCount()).isEqualTo(3);
    assertThat(whole.getFramesList()).isEmpty();
    assertThat(video("--video", animated).getData()).isNotEmpty();
    assertThat(video("--video", animated).hasFrameCount()).isFalse();
    assertThat(video("--video", still).getFramesCount()).isEqualTo(1);
    assertThat(video("--video", gif, "--video", gif).getFramesCount()).isEqualTo(2);
  }

  private static Video video(String... arguments) throws Exception {
    return request(Stream.concat(Stream.of(arguments), Stream.of("Why?")).toArray(String[]::new))
        .getMessages(0).getParts(0).getVideo();
  }

  @Test
  void tellsNoStopFromTheUsualOne() throws Exception {
    var decoding = request("--no-stop", "Why?").getDecoding();

    assertThat(decoding.hasStop()).isTrue();
    assertThat(decoding.getStop().getValuesCount()).isZero();
  }

  @Test
  void putsPicturesAndTheVideoBeforeTheQuestion(@TempDir Path folder) throws Exception {
    var picture = Files.writeString(folder.resolve("p.png"), "picture").toString();
    var frame = Files.writeString(folder.resolve("f.png"), "frame").toString();

    var message = request("--image", picture, "--video", frame, "--video", frame, "What is it?")
        .getMessages(0);

    assertThat(message.getRole()).isEqualTo(Role.ROLE_USER);
    assertThat(message.getPartsList()).extracting(Part::getContentCase).containsExactly(
        Part.ContentCase.IMAGE,
        Part.ContentCase.VIDEO, Part.ContentCase.TEXT);
    assertThat(message.getParts(0).getImage().getData().toStringUtf8()).isEqualTo("picture");
    assertThat(message.getParts(1).getVideo().getFramesCount()).isEqualTo(2);
  }

  @Test
  void putsTheSystemMessageFirst() throws Exception {
    var request = request("--system", "Be brief.", "Why?");

    assertThat(request.getMessages(0).getRole()).isEqualTo(Role.ROLE_SYSTEM);
    assertThat(request.getMessagesCount()).isEqualTo(2);
  }

  @Test
  void namesTheChoicesOfASetting() {
    var complaints = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("ask", "--remasking", "best",
        "Why?");

    assertThat(code).isEqualTo(2);
    assertThat(complaints.toString()).contains("best (expected: low_confidence, random, entropy, margin)");
  }

  @Test
  void saysInOneLineThatAPictureIsNotThere() {
    var complaints = new StringWriter();
    var code = Main.commandLine().setErr(new PrintWriter(complaints)).execute("ask", "--image", "nowhere.png",
        "Why?");

    assertThat(code).isEqualTo(1);
    assertThat(complaints.toString().lines()).containsExactly("lladav: nowhere.png: there is no such file");
  }

  private static GenerateRequest request(String... arguments) throws Exception {
    var command = new AskCommand();
    new CommandLine(command).parseArgs(arguments);
    return command.request(false);
  }
}
