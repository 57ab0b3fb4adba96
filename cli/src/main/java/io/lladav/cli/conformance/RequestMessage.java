package io.lladav.cli.conformance;

import com.google.protobuf.ByteString;
import io.lladav.internal.debug.v1.RecordedNumbers;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.v1.Cache;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.FactorQuirks;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.ImagePlacement;
import io.lladav.v1.Message;
import io.lladav.v1.MultiImage;
import io.lladav.v1.Part;
import io.lladav.v1.PromptQuirks;
import io.lladav.v1.Remasking;
import io.lladav.v1.Role;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Strategy;
import io.lladav.v1.Video;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Turns a case into the message that asks for the same reply.
final class RequestMessage {
  private static final String MARK = "<image>";

  private RequestMessage() {}

  /// The message of a case.
  ///
  /// @param images the folder of the picture files
  /// @throws GoldenException if marks and pictures do not fit, or a picture cannot be read
  static ReplayRequest of(GoldenCase golden, Path images) {
    var request = golden.request();
    var message = ReplayRequest.newBuilder()
        .setRequest(GenerateRequest.newBuilder().addAllMessages(dialogue(golden, images))
            .setDecoding(decoding(request)));
    if (request.isRandom()) {
      golden.expect().steps().forEach(step -> step.numbers().ifPresent(numbers -> message.addOrderNumbers(
          RecordedNumbers.newBuilder().addAllPositions(numbers.positions())
              .addAllNumbers(numbers.numbers()))));
    }
    return message.build();
  }

  /// Whether the pictures of a request are cut into tiles although they are several: its configuration says
  /// how.
  static boolean isTiledByConfig(GoldenRequest request) {
    return request.images().size() > 1
        && request.config().path("image_aspect_ratio").asText().startsWith("anyres");
  }

  private static DecodingSettings decoding(GoldenRequest request) {
    var settings = DecodingSettings.newBuilder()
        .setGenLength(request.genLength())
        .setBlockLength(request.blockLength())
        .setSteps(request.steps())
        .setCfgScale(request.cfgScale())
        .setRemasking(request.isRandom() ? Remasking.REMASKING_RANDOM : Remasking.REMASKING_LOW_CONFIDENCE)
        .setStop(StopStrings.newBuilder().addAllValues(request.stop()))
        .setSuffix(request.suffix())
        .setPromptQuirks(PromptQuirks.PROMPT_QUIRKS_REFERENCE)
        .setMultiImage(multiImage(request))
        .setImagePlacement(ImagePlacement.IMAGE_PLACEMENT_VERBATIM);
    request.cache().ifPresent(cache -> set(cache, settings));
    return settings.build();
  }

  private static void set(GoldenCache cache, DecodingSettings.Builder settings) {
    switch (cache) {
      case GoldenCache.Prefix(int refreshInterval, var factor) -> {
        settings.setCache(Cache.CACHE_PREFIX).setRefreshInterval(refreshInterval);
        // Factor decoding knows no steps: those of the case had no effect, and would be refused.
        factor.ifPresent(f -> settings.clearSteps().setStrategy(Strategy.STRATEGY_FACTOR).setFactor(f)
            .setFactorQuirks(FactorQuirks.FACTOR_QUIRKS_REFERENCE));
      }
      case GoldenCache.Interval(int promptInterval, int genInterval, double ratio) ->
        settings.setCache(Cache.CACHE_INTERVAL).setPromptInterval(promptInterval).setGenInterval(genInterval)
            .setTransferRatio(ratio);
    }
  }

  private static MultiImage multiImage(GoldenRequest request) {
    if (isTiledByConfig(request)) {
      return MultiImage.MULTI_IMAGE_TILED;
    }
    return request.stacked() ? MultiImage.MULTI_IMAGE_STACKED : MultiImage.MULTI_IMAGE_LIST;
  }

  private static List<Message> dialogue(GoldenCase golden, Path images) {
    var visuals = visuals(golden.request(), images).iterator();
    var messages = new ArrayList<Message>();
    golden.request().system().ifPresent(text -> messages.add(
        Message.newBuilder().setRole(Role.ROLE_SYSTEM).addParts(Part.newBuilder().setText(text)).build()));
    for (var turn : golden.request().messages()) {
      messages.add(Message.newBuilder().setRole(role(golden, turn.role()))
          .addAllParts(parts(golden, turn.content(), visuals)).build());
    }
    if (visuals.hasNext()) {
      throw new GoldenException(golden.name() + ": more pictures than " + MARK + " marks");
    }
    return messages;
  }

  private static Role role(GoldenCase golden, String name) {
    return switch (name) {
      case "system" -> Role.ROLE_SYSTEM;
      case "user" -> Role.ROLE_USER;
      case "assistant" -> Role.ROLE_ASSISTANT;
      default -> throw new GoldenException(
          golden.name() + ": role: " + name + " (expected: system, user or assistant)");
    };
  }

  private static List<Part> parts(GoldenCase golden, String content, Iterator<Part> visuals) {
    var parts = new ArrayList<Part>();
    var pieces = content.split(MARK, -1);
    for (int i = 0; i < pieces.length; i++) {
      if (i > 0) {
        if (!visuals.hasNext()) {
          throw new GoldenException(golden.name() + ": more " + MARK + " marks than pictures");
        }
        parts.add(visuals.next());
      }
      if (!pieces[i].isEmpty()) {
        parts.add(Part.newBuilder().setText(pieces[i]).build());
      }
    }
    return parts;
  }

  private static List<Part> visuals(GoldenRequest request, Path images) {
    if (!request.frames().isEmpty()) {
      var frames = request.frames().stream().map(file -> image(images.resolve(file))).toList();
      return List.of(Part.newBuilder().setVideo(Video.newBuilder().addAllFrames(frames)).build());
    }
    return request.images().stream()
        .map(file -> Part.newBuilder().setImage(image(images.resolve(file))).build()).toList();
  }

  private static Image image(Path file) {
    try {
      return Image.newBuilder().setData(ByteString.copyFrom(Files.readAllBytes(file))).build();
    } catch (IOException e) {
      throw new GoldenException(file + ": cannot be read: " + e.getMessage());
    }
  }
}
