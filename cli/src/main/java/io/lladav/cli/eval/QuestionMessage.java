package io.lladav.cli.eval;

import com.google.protobuf.ByteString;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.Video;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Turns a question into the message that asks it.
final class QuestionMessage {
  private QuestionMessage() {}

  /// The message of a question, with the visuals before the first text of the dialogue.
  ///
  /// @throws IOException if a picture cannot be read
  static GenerateRequest of(Question question, DecodingSettings decoding) throws IOException {
    var request = GenerateRequest.newBuilder().setDecoding(decoding);
    var visuals = parts(question.visuals());
    for (var turn : question.earlier()) {
      request.addMessages(message(Role.ROLE_USER, visuals, turn.question()))
          .addMessages(message(Role.ROLE_ASSISTANT, List.of(), turn.answer()));
      visuals = List.of();
    }
    return request.addMessages(message(Role.ROLE_USER, visuals, question.text())).build();
  }

  private static Message message(Role role, List<Part> visuals, String text) {
    return Message.newBuilder().setRole(role).addAllParts(visuals)
        .addParts(Part.newBuilder().setText(text)).build();
  }

  private static List<Part> parts(Visuals visuals) throws IOException {
    return switch (visuals) {
      case Visuals.Pictures(var files) -> images(files).stream()
          .map(image -> Part.newBuilder().setImage(image).build()).toList();
      case Visuals.Clip(var frames) ->
        List.of(Part.newBuilder().setVideo(Video.newBuilder().addAllFrames(images(frames))).build());
    };
  }

  private static List<Image> images(List<Path> files) throws IOException {
    var images = new ArrayList<Image>();
    for (var file : files) {
      images.add(Image.newBuilder().setData(ByteString.copyFrom(Files.readAllBytes(file))).build());
    }
    return images;
  }
}
