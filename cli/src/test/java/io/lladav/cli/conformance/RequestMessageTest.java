package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.cli.json.JsonException;
import io.lladav.v1.Cache;
import io.lladav.v1.FactorQuirks;
import io.lladav.v1.ImagePlacement;
import io.lladav.v1.MultiImage;
import io.lladav.v1.Part;
import io.lladav.v1.Remasking;
import io.lladav.v1.Role;
import io.lladav.v1.Strategy;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RequestMessageTest {
  private static final Path IMAGES = GoldenCases.FOLDER.resolve("images");

  @Test
  void splitsAContentAtItsPictures() throws Exception {
    var message = RequestMessage.of(GoldenCases.read("tiny-a/images-two-adjacent"), IMAGES).getRequest();

    assertThat(message.getMessages(0).getPartsList()).extracting(Part::getContentCase).containsExactly(
        Part.ContentCase.IMAGE, Part.ContentCase.IMAGE, Part.ContentCase.TEXT);
    assertThat(message.getMessages(0).getParts(1).getImage().getData().toByteArray())
        .isEqualTo(Files.readAllBytes(IMAGES.resolve("shapes-384x384.png")));
    assertThat(message.getDecoding().getImagePlacement()).isEqualTo(ImagePlacement.IMAGE_PLACEMENT_VERBATIM);
    assertThat(message.getDecoding().getMultiImage()).isEqualTo(MultiImage.MULTI_IMAGE_LIST);
  }

  @Test
  void putsAllFramesIntoOneVideo() {
    var parts = RequestMessage.of(GoldenCases.read("tiny-a/video-8"), IMAGES).getRequest().getMessages(0)
        .getPartsList();

    assertThat(parts).filteredOn(Part::hasVideo).singleElement()
        .satisfies(part -> assertThat(part.getVideo().getFramesCount()).isEqualTo(8));
  }

  @Test
  void asksForTilesWhereTheConfigurationSaysHowSeveralPicturesAreCut() {
    var message = RequestMessage.of(GoldenCases.read("tiny-a/images-two-tiled"), IMAGES).getRequest();

    assertThat(message.getDecoding().getMultiImage()).isEqualTo(MultiImage.MULTI_IMAGE_TILED);
  }

  @Test
  void asksForStackedPictures() {
    var message = RequestMessage.of(GoldenCases.read("tiny-a/images-two-stacked"), IMAGES).getRequest();

    assertThat(message.getDecoding().getMultiImage()).isEqualTo(MultiImage.MULTI_IMAGE_STACKED);
  }

  @Test
  void feedsInTheRecordedNumbersOfARandomOrder() {
    var golden = GoldenCases.read("tiny-a/random-order");
    var message = RequestMessage.of(golden, IMAGES);

    assertThat(message.getRequest().getDecoding().getRemasking()).isEqualTo(Remasking.REMASKING_RANDOM);
    assertThat(message.getOrderNumbersCount()).isEqualTo(golden.expect().steps().size());
    assertThat(message.getOrderNumbers(0).getNumbers(10)).isEqualTo(0.9323450922966003);
  }

  @Test
  void setsNoStopAtAllWhereTheCaseHasNone() {
    var message = RequestMessage.of(GoldenCases.read("tiny-a/text-16-16-16-nostop"), IMAGES).getRequest();

    assertThat(message.getDecoding().hasStop()).isTrue();
    assertThat(message.getDecoding().getStop().getValuesCount()).isZero();
  }

  @Test
  void givesTheSystemMessageFirst() {
    var message = RequestMessage.of(GoldenCases.read("tiny-a/system"), IMAGES).getRequest();

    assertThat(message.getMessages(0).getRole()).isEqualTo(Role.ROLE_SYSTEM);
    assertThat(message.getMessages(0).getParts(0).getText()).startsWith("You are the old bridge.");
  }

  @Test
  void refusesAMarkWithoutAPicture(@TempDir Path folder) throws Exception {
    var golden = Files.readString(GoldenCases.FOLDER.resolve("cases/tiny-a/system.json"))
        .replace("Why does it rain today?", "<image>Why?");
    var file = Files.writeString(folder.resolve("marked.json"), golden);

    assertThatExceptionOfType(GoldenException.class)
        .isThrownBy(() -> RequestMessage.of(GoldenCase.read(file), IMAGES))
        .withMessage("tiny-a/system: more <image> marks than pictures");
  }

  @Test
  void namesWhatItCannotReplay(@TempDir Path folder) throws Exception {
    var golden = Files.readString(GoldenCases.FOLDER.resolve("cases/tiny-a/system.json"))
        .replace("\"steps\": 16,", "\"steps\": 16, \"beam_width\": 4,");
    var file = Files.writeString(folder.resolve("unknown.json"), golden);

    assertThat(GoldenCase.read(file).request().unsupported()).containsExactly("beam_width");
  }

  @Test
  void namesACacheThatItCannotReplay(@TempDir Path folder) throws Exception {
    var golden = Files.readString(GoldenCases.FOLDER.resolve("cases/tiny-a/prefix-2.json"));
    var adaptive = Files.writeString(folder.resolve("adaptive.json"),
        golden.replace("\"kind\": \"prefix\"", "\"kind\": \"adaptive\""));
    var unknown = Files.writeString(folder.resolve("unknown.json"),
        golden.replace("\"kind\": \"prefix\"", "\"kind\": \"prefix\", \"drift\": 1"));

    assertThat(GoldenCase.read(adaptive).request().unsupported()).containsExactly("cache adaptive");
    assertThat(GoldenCase.read(unknown).request().unsupported()).containsExactly("cache drift");
  }

  @Test
  void asksForThePrefixCache() {
    var golden = GoldenCases.read("tiny-a/prefix-4-blocks");
    var decoding = RequestMessage.of(golden, IMAGES).getRequest().getDecoding();

    assertThat(golden.request().unsupported()).isEmpty();
    assertThat(decoding.getCache()).isEqualTo(Cache.CACHE_PREFIX);
    assertThat(decoding.getRefreshInterval()).isEqualTo(4);
    assertThat(decoding.getSteps()).isEqualTo(32);
    assertThat(decoding.getStrategy()).isEqualTo(Strategy.STRATEGY_UNSPECIFIED);
  }

  @Test
  void asksForFactorDecodingWithoutSteps() {
    var golden = GoldenCases.read("tiny-a/prefix-32-factor-0.5");
    var decoding = RequestMessage.of(golden, IMAGES).getRequest().getDecoding();

    assertThat(golden.request().unsupported()).isEmpty();
    assertThat(decoding.getCache()).isEqualTo(Cache.CACHE_PREFIX);
    assertThat(decoding.getRefreshInterval()).isEqualTo(32);
    assertThat(decoding.getStrategy()).isEqualTo(Strategy.STRATEGY_FACTOR);
    assertThat(decoding.getFactor()).isEqualTo(0.5);
    assertThat(decoding.getFactorQuirks()).isEqualTo(FactorQuirks.FACTOR_QUIRKS_REFERENCE);
    assertThat(decoding.hasSteps()).isFalse();
  }

  @Test
  void asksForTheIntervalCache() {
    var golden = GoldenCases.read("tiny-a/interval-suffix");
    var decoding = RequestMessage.of(golden, IMAGES).getRequest().getDecoding();

    assertThat(golden.request().unsupported()).isEmpty();
    assertThat(decoding.getCache()).isEqualTo(Cache.CACHE_INTERVAL);
    assertThat(decoding.getPromptInterval()).isEqualTo(6);
    assertThat(decoding.getGenInterval()).isEqualTo(4);
    assertThat(decoding.getTransferRatio()).isEqualTo(0.3);
    assertThat(decoding.hasRefreshInterval()).isFalse();
  }

  @Test
  void replaysEveryCaseOfThisRepository() throws Exception {
    try (var files = Files.walk(GoldenCases.FOLDER.resolve("cases"))) {
      var cases = files.filter(file -> file.toString().endsWith(".json")).map(GoldenCase::read).toList();

      assertThat(cases).isNotEmpty()
          .allSatisfy(golden -> assertThat(golden.request().unsupported()).as(golden.name()).isEmpty());
    }
  }

  @Test
  void namesFileAndKeyOfABrokenCase(@TempDir Path folder) throws Exception {
    var file = Files.writeString(folder.resolve("broken.json"), "{\"name\": 3}");

    assertThatExceptionOfType(JsonException.class).isThrownBy(() -> GoldenCase.read(file))
        .withMessage(file + ": name: 3 (expected: a text)");
  }
}
