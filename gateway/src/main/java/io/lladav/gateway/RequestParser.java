package io.lladav.gateway;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.lladav.model.image.AnimationDecoder;
import io.lladav.model.image.AnimationHeader;
import io.lladav.model.image.AnimationLimits;
import io.lladav.model.image.FrameSampling;
import io.lladav.model.image.PictureDecoder;
import io.lladav.model.image.PictureException;
import io.lladav.model.image.PictureLimits;
import io.lladav.model.prompt.Part;
import io.lladav.model.prompt.PromptOptions;
import io.lladav.model.prompt.PromptQuirks;
import io.lladav.model.prompt.Role;
import io.lladav.model.prompt.ThinkMode;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.model.prompt.VisualPlacement;
import io.lladav.runtime.ServiceException;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.StreamOptions;
import io.lladav.v1.Video;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Turns a request of the wire into a [GenerationRequest], or says which field keeps it from being one.
final class RequestParser {
  private static final int KEY_CHARS_MAX = 256;

  private final DecodingParser decodingParser;
  private final Limits limits;
  private final PictureLimits pictureLimits;
  private final AnimationLimits animationLimits;

  RequestParser(Tokenizer tokenizer, Limits limits) {
    this.decodingParser = new DecodingParser(tokenizer, limits);
    this.limits = limits;
    this.pictureLimits = new PictureLimits(limits.imageSideMax(), limits.imagePixelsMax());
    this.animationLimits = new AnimationLimits(pictureLimits, limits.videoPixelsMax());
  }

  /// Checks and returns the idempotency key; empty for none.
  ///
  /// @throws InvalidRequest if it is too long, or the request cannot be shared
  String idempotencyKey(GenerateRequest wire) {
    var key = wire.getIdempotencyKey();
    if (key.length() > KEY_CHARS_MAX) {
      throw new InvalidRequest("idempotency_key", "idempotency_key: %d characters (expected: at most %d)"
          .formatted(key.length(), KEY_CHARS_MAX));
    }
    if (!key.isEmpty() && wire.getStream().getProvisional()) {
      throw new InvalidRequest("stream.provisional",
          "stream.provisional: true (expected: false, since idempotency_key is set)");
    }
    return key;
  }

  /// Checks and converts a request. Pictures are looked at up to their headers.
  ///
  /// @throws InvalidRequest naming the field, its value and what was expected
  /// @throws LimitExceeded naming the limit
  GenerationRequest parse(GenerateRequest wire) {
    refuseUnknownFields(wire);
    var decoding = wire.getDecoding();
    var visuals = new ArrayList<Visual>();
    var dialogue = dialogue(wire, visuals);
    var options = new PromptOptions(
        switch (decoding.getThinkMode()) {
          case THINK_MODE_UNSPECIFIED -> ThinkMode.NONE;
          case THINK_MODE_THINK -> ThinkMode.THINK;
          case THINK_MODE_NO_THINK -> ThinkMode.NO_THINK;
          case UNRECOGNIZED ->
            throw DecodingParser.unknownValue("decoding.think_mode", decoding.getThinkModeValue());
        },
        switch (decoding.getPromptQuirks()) {
          case PROMPT_QUIRKS_UNSPECIFIED, PROMPT_QUIRKS_REFERENCE -> PromptQuirks.REFERENCE;
          case PROMPT_QUIRKS_NONE -> PromptQuirks.NONE;
          case UNRECOGNIZED ->
            throw DecodingParser.unknownValue("decoding.prompt_quirks", decoding.getPromptQuirksValue());
        },
        switch (decoding.getImagePlacement()) {
          case IMAGE_PLACEMENT_UNSPECIFIED, IMAGE_PLACEMENT_LEADING -> VisualPlacement.LEADING;
          case IMAGE_PLACEMENT_VERBATIM -> VisualPlacement.VERBATIM;
          case UNRECOGNIZED ->
            throw DecodingParser.unknownValue("decoding.image_placement", decoding.getImagePlacementValue());
        });
    return new GenerationRequest(dialogue, visuals, options, multiImage(decoding), attention(decoding),
        decodingParser.parse(decoding), decodingParser.logitBiases(decoding), streamForm(wire.getStream()),
        answers(wire));
  }

  private static GenerationRequest.StreamForm streamForm(StreamOptions wire) {
    return switch (wire.getMode()) {
      case STREAM_MODE_UNSPECIFIED, STREAM_MODE_DENOISE -> wire.getProvisional()
          ? GenerationRequest.StreamForm.COMMITS_AND_GUESSES
          : GenerationRequest.StreamForm.COMMITS;
      case STREAM_MODE_BLOCK_APPEND -> {
        if (wire.getProvisional()) {
          throw new InvalidRequest("stream.provisional",
              "stream.provisional: true (expected: false, since stream.mode is BLOCK_APPEND)");
        }
        yield GenerationRequest.StreamForm.GROWING_TEXT;
      }
      case UNRECOGNIZED -> throw DecodingParser.unknownValue("stream.mode", wire.getModeValue());
    };
  }

  /// Checks and returns how many answers there are to be, at least 1.
  ///
  /// @throws InvalidRequest if they are more than can run at once
  int answers(GenerateRequest wire) {
    int max = limits.answersAtOnceMax();
    if (wire.getN() < 0 || wire.getN() > max) {
      throw new InvalidRequest("n", "n: %d (expected: 1..%d, or 0 for one)".formatted(wire.getN(), max));
    }
    return Math.max(1, wire.getN());
  }

  private static GenerationRequest.MultiImage multiImage(io.lladav.v1.DecodingSettings wire) {
    return switch (wire.getMultiImage()) {
      case MULTI_IMAGE_UNSPECIFIED, MULTI_IMAGE_LIST -> GenerationRequest.MultiImage.LIST;
      case MULTI_IMAGE_STACKED -> GenerationRequest.MultiImage.STACKED;
      case MULTI_IMAGE_TILED -> GenerationRequest.MultiImage.TILED;
      case UNRECOGNIZED ->
        throw DecodingParser.unknownValue("decoding.multi_image", wire.getMultiImageValue());
    };
  }

  private static GenerationRequest.Attention attention(io.lladav.v1.DecodingSettings wire) {
    return switch (wire.getAttention()) {
      case ATTENTION_UNSPECIFIED, ATTENTION_FULL -> GenerationRequest.Attention.FULL;
      case ATTENTION_DIALOGUE_CAUSAL -> GenerationRequest.Attention.DIALOGUE_CAUSAL;
      case UNRECOGNIZED -> throw DecodingParser.unknownValue("decoding.attention", wire.getAttentionValue());
    };
  }

  private List<io.lladav.model.prompt.Message> dialogue(GenerateRequest wire, List<Visual> visuals) {
    int count = wire.getMessagesCount();
    if (count == 0) {
      throw new InvalidRequest("messages", "messages: none (expected: at least one, the last by the user)");
    }
    requireLimit(count, limits.messagesMax(), "limits.messages-max", "messages", "messages");
    requireTexts(wire);
    var dialogue = new ArrayList<io.lladav.model.prompt.Message>();
    for (int i = 0; i < count; i++) {
      String field = "messages[%d]".formatted(i);
      var message = message(field, wire.getMessages(i), visuals);
      requireRole(i == 0 || message.role() != Role.SYSTEM, field, message,
          "USER or ASSISTANT; SYSTEM stands first");
      requireRole(i < count - 1 || message.role() == Role.USER, field, message, "USER in the last message");
      dialogue.add(message);
    }
    int pictures = visuals.stream().mapToInt(Visual::pictureCount).sum();
    requireLimit(pictures, limits.imagesMax(), "limits.images-max", "messages", "pictures and frames");
    return dialogue;
  }

  private static void requireRole(boolean valid, String field, io.lladav.model.prompt.Message message,
      String expected) {
    if (!valid) {
      throw new InvalidRequest(field + ".role",
          "%s.role: %s (expected: %s)".formatted(field, message.role(), expected));
    }
  }

  private void requireTexts(GenerateRequest wire) {
    long chars = wire.getDecoding().getSuffix().length();
    for (var part : wire.getDecoding().getDraft().getPartsList()) {
      chars += part.getText().length();
    }
    for (var message : wire.getMessagesList()) {
      for (var part : message.getPartsList()) {
        chars += part.getText().length();
      }
    }
    for (var stop : wire.getDecoding().getStop().getValuesList()) {
      chars += stop.length();
    }
    requireLimit(chars, limits.textCharsMax(), "limits.text-chars-max", "messages", "characters of text");
  }

  private io.lladav.model.prompt.Message message(String field, io.lladav.v1.Message wire,
      List<Visual> visuals) {
    var role = switch (wire.getRole()) {
      case ROLE_SYSTEM -> Role.SYSTEM;
      case ROLE_USER -> Role.USER;
      case ROLE_ASSISTANT -> Role.ASSISTANT;
      case ROLE_UNSPECIFIED, UNRECOGNIZED -> throw new InvalidRequest(field + ".role",
          "%s.role: %d (expected: ROLE_SYSTEM, ROLE_USER or ROLE_ASSISTANT)".formatted(field,
              wire.getRoleValue()));
    };
    var parts = new ArrayList<Part>();
    for (int i = 0; i < wire.getPartsCount(); i++) {
      parts.add(part("%s.parts[%d]".formatted(field, i), wire.getParts(i), visuals));
    }
    return new io.lladav.model.prompt.Message(role, parts);
  }

  private Part part(String field, io.lladav.v1.Part wire, List<Visual> visuals) {
    return switch (wire.getContentCase()) {
      case TEXT -> new Part.Text(wire.getText());
      case IMAGE -> add(visuals, new Visual.Picture(field, frame(field + ".image", wire.getImage())));
      case VIDEO -> add(visuals, video(field + ".video", wire.getVideo()));
      case CONTENT_NOT_SET ->
        throw new InvalidRequest(field, field + ": nothing set (expected: text, image or video)");
    };
  }

  private static Part add(List<Visual> visuals, Visual visual) {
    visuals.add(visual);
    return new Part.Visual(visuals.size() - 1);
  }

  private Visual video(String field, Video wire) {
    if (!wire.getData().isEmpty()) {
      return animation(field, wire);
    }
    int count = wire.getFramesCount();
    if (count == 0) {
      throw new InvalidRequest(field + ".frames", field + ".frames: none (expected: at least one, or data)");
    }
    if (wire.hasFrameCount()) {
      throw new InvalidRequest(field + ".frame_count",
          "%s.frame_count: %d (expected: unset, since all frames are used; it goes with data)".formatted(
              field,
              wire.getFrameCount()));
    }
    requireLimit(count, limits.videoFramesMax(), "limits.video-frames-max", field + ".frames", "frames");
    var frames = new ArrayList<Visual.Frame>();
    for (int i = 0; i < count; i++) {
      frames.add(frame("%s.frames[%d]".formatted(field, i), wire.getFrames(i)));
    }
    return new Visual.Video(field, frames);
  }

  private Visual animation(String field, Video wire) {
    if (wire.getFramesCount() > 0) {
      throw new InvalidRequest(field, "%s: frames and data (expected: one of them)".formatted(field));
    }
    String dataField = field + ".data";
    requireLimit(wire.getData().size(), limits.imageBytesMax(), "limits.image-bytes-max", dataField, "bytes");
    try {
      var data = wire.getData().asReadOnlyByteBuffer();
      var header = AnimationDecoder.readHeader(data);
      animationLimits.check(header);
      var sampled = FrameSampling.indices(header.frameCount(), frameCount(field, wire, header));
      var file = new Visual.Frame(dataField, data, header.picture().width(), header.picture().height(),
          IntStream.of(sampled).boxed().toList());
      return new Visual.Video(field, List.of(file));
    } catch (PictureException e) {
      throw refusal(dataField, e);
    }
  }

  private int frameCount(String field, Video wire, AnimationHeader header) {
    if (!wire.hasFrameCount()) {
      return Math.min(limits.videoFramesMax(), header.frameCount());
    }
    String countField = field + ".frame_count";
    if (wire.getFrameCount() < 1) {
      throw new InvalidRequest(countField,
          "%s: %d (expected: at least 1)".formatted(countField, wire.getFrameCount()));
    }
    requireLimit(wire.getFrameCount(), limits.videoFramesMax(), "limits.video-frames-max", countField,
        "frames");
    return wire.getFrameCount();
  }

  private Visual.Frame frame(String field, Image wire) {
    String dataField = field + ".data";
    requireLimit(wire.getData().size(), limits.imageBytesMax(), "limits.image-bytes-max", dataField, "bytes");
    try {
      var data = wire.getData().asReadOnlyByteBuffer();
      var header = PictureDecoder.readHeader(data);
      pictureLimits.check(header);
      return new Visual.Frame(dataField, data, header.width(), header.height(), List.of());
    } catch (PictureException e) {
      throw refusal(dataField, e);
    }
  }

  private static ServiceException refusal(String field, PictureException failure) {
    String message = "%s: %s".formatted(field, failure.getMessage());
    return switch (failure.kind()) {
      case UNDECODABLE -> new InvalidRequest(field, message);
      case SIDE_TOO_LONG -> tooLarge("limits.image-side-max", message);
      case TOO_MANY_PIXELS -> tooLarge("limits.image-pixels-max", message);
      case TOO_MANY_FRAME_PIXELS -> tooLarge("limits.video-pixels-max", message);
    };
  }

  private static LimitExceeded tooLarge(String limit, String message) {
    return new LimitExceeded(limit, "%s; the limit is %s".formatted(message, limit));
  }

  private static void requireLimit(long value, long max, String limit, String field, String unit) {
    if (value > max) {
      throw new LimitExceeded(limit,
          "%s: %d %s (expected: at most %d, %s)".formatted(field, value, unit, max, limit));
    }
  }

  /// Throws if a message holds a field that this server does not know: it may change the answer, and a client must learn
  /// that it was not heard.
  ///
  /// @throws InvalidRequest then
  void refuseUnknownFields(Message message) {
    refuseUnknownFields("", message);
  }

  /// The same for a part of a request.
  ///
  /// @param path where it stands in the request; empty for the request itself
  /// @throws InvalidRequest naming the message that holds the first such field
  static void refuseUnknownFields(String path, Message message) {
    for (int number : message.getUnknownFields().asMap().keySet()) {
      String field = path.isEmpty() ? "request" : path;
      throw new InvalidRequest(field,
          "%s: field number %d is not known to this server (expected: the fields of %s)"
              .formatted(field, number, message.getDescriptorForType().getFullName()));
    }
    message.getAllFields().forEach((field, value) -> refuseUnknownFields(path, field, value));
  }

  private static void refuseUnknownFields(String path, FieldDescriptor field, Object value) {
    if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
      return;
    }
    String name = path.isEmpty() ? field.getName() : path + "." + field.getName();
    if (value instanceof List<?> elements) {
      for (int i = 0; i < elements.size(); i++) {
        refuseUnknownFields("%s[%d]".formatted(name, i), (Message) elements.get(i));
      }
    } else {
      refuseUnknownFields(name, (Message) value);
    }
  }
}
