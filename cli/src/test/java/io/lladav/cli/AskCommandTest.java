package io.lladav.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.FactorQuirks;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Part;
import io.lladav.v1.Remasking;
import io.lladav.v1.Role;
import io.lladav.v1.Schedule;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Strategy;
import io.lladav.v1.ThinkMode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
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
