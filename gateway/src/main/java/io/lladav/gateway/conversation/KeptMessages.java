package io.lladav.gateway.conversation;

import com.google.protobuf.ByteString;
import io.lladav.model.image.PictureDecoder;
import io.lladav.v1.Conversation;
import io.lladav.v1.Image;
import io.lladav.v1.KeptMessage;
import io.lladav.v1.KeptPart;
import io.lladav.v1.KeptPicture;
import io.lladav.v1.KeptTurn;
import io.lladav.v1.KeptVideo;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Video;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// Messages as they are kept, their pictures beside them, and back.
public final class KeptMessages {
  private KeptMessages() {}

  /// Describes the pictures of a message instead of holding them.
  ///
  /// @param message one that could be asked; its pictures have readable headers
  /// @param pictures takes the pictures' bytes by their SHA-256
  public static KeptMessage keep(Message message, Map<ByteString, ByteString> pictures) {
    var kept = KeptMessage.newBuilder().setRole(message.getRole());
    for (var part : message.getPartsList()) {
      kept.addParts(keep(part, pictures));
    }
    return kept.build();
  }

  /// Puts the pictures back into a message.
  ///
  /// @param pictures from SHA-256 to bytes
  public static Message restore(KeptMessage kept, UnaryOperator<ByteString> pictures) {
    var message = Message.newBuilder().setRole(kept.getRole());
    for (var part : kept.getPartsList()) {
      message.addParts(restore(part, pictures));
    }
    return message.build();
  }

  /// The pictures that a conversation names, each as often as it does.
  static Stream<KeptPicture> pictures(Conversation conversation) {
    return Stream.concat(conversation.getMessagesList().stream(),
        conversation.getTurnsList().stream().map(KeptTurn::getQuestion))
        .flatMap(KeptMessages::pictures);
  }

  /// The pictures that a message names, each as often as it does.
  static Stream<KeptPicture> pictures(KeptMessage message) {
    return message.getPartsList().stream().flatMap(part -> switch (part.getContentCase()) {
      case PICTURE -> Stream.of(part.getPicture());
      case VIDEO -> part.getVideo().getFramesList().stream();
      case TEXT, CONTENT_NOT_SET -> Stream.empty();
    });
  }

  private static KeptPart keep(Part part, Map<ByteString, ByteString> pictures) {
    var kept = KeptPart.newBuilder();
    switch (part.getContentCase()) {
      case TEXT -> kept.setText(part.getText());
      case IMAGE -> kept.setPicture(keep(part.getImage(), pictures));
      case VIDEO -> {
        var video = KeptVideo.newBuilder();
        part.getVideo().getFramesList().forEach(frame -> video.addFrames(keep(frame, pictures)));
        kept.setVideo(video);
      }
      case CONTENT_NOT_SET -> {
        // Refused before a message is kept.
      }
    }
    return kept.build();
  }

  private static KeptPicture keep(Image image, Map<ByteString, ByteString> pictures) {
    var header = PictureDecoder.readHeader(image.getData().asReadOnlyByteBuffer());
    var sha256 = sha256(image.getData());
    pictures.put(sha256, image.getData());
    return KeptPicture.newBuilder()
        .setSha256(sha256)
        .setByteCount(image.getData().size())
        .setMediaType("image/" + header.format().name().toLowerCase(Locale.ROOT))
        .setWidthPx(header.width())
        .setHeightPx(header.height())
        .build();
  }

  private static Part restore(KeptPart kept, UnaryOperator<ByteString> pictures) {
    var part = Part.newBuilder();
    switch (kept.getContentCase()) {
      case TEXT -> part.setText(kept.getText());
      case PICTURE -> part.setImage(restore(kept.getPicture(), pictures));
      case VIDEO -> {
        var video = Video.newBuilder();
        kept.getVideo().getFramesList().forEach(frame -> video.addFrames(restore(frame, pictures)));
        part.setVideo(video);
      }
      case CONTENT_NOT_SET -> {
        // Never kept.
      }
    }
    return part.build();
  }

  private static Image restore(KeptPicture kept, UnaryOperator<ByteString> pictures) {
    return Image.newBuilder().setData(pictures.apply(kept.getSha256())).build();
  }

  private static ByteString sha256(ByteString data) {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      data.asReadOnlyByteBufferList().forEach(sha256::update);
      return ByteString.copyFrom(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
