package io.lladav.gateway;

import com.google.protobuf.ByteString;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.StopStrings;
import io.lladav.v1.Video;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;

/// Requests and what they are made of.
final class Requests {
  private Requests() {}

  /// A text question for a reply of 8 positions in 4 steps that no stop ends early.
  static GenerateRequest.Builder question(String text) {
    return of(user(text(text)));
  }

  /// The same for other messages.
  static GenerateRequest.Builder of(Message... messages) {
    return GenerateRequest.newBuilder()
        .addAllMessages(List.of(messages))
        .setDecoding(DecodingSettings.newBuilder()
            .setGenLength(8)
            .setSteps(4)
            .setSeed(7)
            .setStop(StopStrings.getDefaultInstance()));
  }

  static Message user(Part... parts) {
    return message(Role.ROLE_USER, parts);
  }

  static Message message(Role role, Part... parts) {
    return Message.newBuilder().setRole(role).addAllParts(List.of(parts)).build();
  }

  static Part text(String text) {
    return Part.newBuilder().setText(text).build();
  }

  static Part image(ByteString data) {
    return Part.newBuilder().setImage(Image.newBuilder().setData(data)).build();
  }

  static Part video(ByteString... frames) {
    var video = Video.newBuilder();
    for (var frame : frames) {
      video.addFrames(Image.newBuilder().setData(frame));
    }
    return Part.newBuilder().setVideo(video).build();
  }

  static Part animation(Video.Builder video) {
    return Part.newBuilder().setVideo(video).build();
  }

  /// A picture of the conformance data.
  static ByteString picture(String name) {
    try {
      return ByteString.copyFrom(
          Files.readAllBytes(Path.of(System.getProperty("conformance.dir"), "images", name)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The first bytes of a PNG file that claims a size.
  static ByteString pngHeader(int width, int height) {
    try {
      var header = new ByteArrayOutputStream();
      var out = new DataOutputStream(header);
      out.writeBytes("IHDR");
      out.writeInt(width);
      out.writeInt(height);
      out.write(new byte[]{8, 2, 0, 0, 0});
      var crc = new CRC32();
      crc.update(header.toByteArray());
      var file = new ByteArrayOutputStream();
      out = new DataOutputStream(file);
      out.write(new byte[]{(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
      out.writeInt(13);
      out.write(header.toByteArray());
      out.writeInt((int) crc.getValue());
      return ByteString.copyFrom(file.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
