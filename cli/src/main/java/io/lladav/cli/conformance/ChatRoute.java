package io.lladav.cli.conformance;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.lladav.cli.chat.HeldDialogue;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Image;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Asks as the turn of a dialogue: the conversation is made with what stands before the last message, on a stream of
/// its own, and opened again by its id for that message. Large pictures of that message are sent ahead, small ones
/// stand in it, so that both ways are taken.
final class ChatRoute implements Route {
  private static final int WHOLE_PICTURE_BYTES_MAX = 8 << 10;

  private final Channel channel;

  ChatRoute(Channel channel) {
    this.channel = ClientInterceptors.intercept(channel, new InTime());
  }

  @Override
  public ReplayedReply ask(ReplayRequest request) {
    var wire = request.getRequest();
    var dialogue = new HeldDialogue(channel, beginning(wire));
    try (Deletion _ = dialogue::delete) {
      dialogue.open();
      var ahead = new ArrayList<ByteString>();
      var turn = turn(wire, ahead);
      var collector = new ReplayedReply.Collector();
      var outcome = dialogue.ask(turn, ahead, collector::add);
      return switch (outcome) {
        case HeldDialogue.Outcome.Answered() -> collector.collect();
        case HeldDialogue.Outcome.Cancelled() ->
          throw new GoldenException("the gateway cancelled a turn that nobody wanted cancelled");
        case HeldDialogue.Outcome.Failed(var status) -> throw Status.fromCodeValue(status.getCode())
            .withDescription(status.getMessage()).asRuntimeException();
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.withCause(e).asRuntimeException();
    }
  }

  @Override
  public Optional<String> obstacle(GoldenRequest request) {
    return request.isRandom()
        ? Optional.of("random order: a turn of a dialogue takes no recorded numbers")
        : Optional.empty();
  }

  private static NewConversation beginning(GenerateRequest wire) {
    return NewConversation.newBuilder()
        .addAllMessages(wire.getMessagesList().subList(0, wire.getMessagesCount() - 1))
        .setDecoding(wire.getDecoding()).build();
  }

  /// The last message as a turn.
  ///
  /// @param ahead takes the pictures that have no data in the turn
  private static Turn turn(GenerateRequest wire, List<ByteString> ahead) {
    var turn = Turn.newBuilder();
    for (var part : wire.getMessages(wire.getMessagesCount() - 1).getPartsList()) {
      turn.addParts(switch (part.getContentCase()) {
        case IMAGE -> part.toBuilder().setImage(sent(part.getImage(), ahead)).build();
        case VIDEO -> video(part, ahead);
        case TEXT, CONTENT_NOT_SET -> part;
      });
    }
    return turn.build();
  }

  private static Part video(Part part, List<ByteString> ahead) {
    var video = part.getVideo().toBuilder().clearFrames();
    part.getVideo().getFramesList().forEach(frame -> video.addFrames(sent(frame, ahead)));
    return part.toBuilder().setVideo(video).build();
  }

  private static Image sent(Image image, List<ByteString> ahead) {
    if (image.getData().size() <= WHOLE_PICTURE_BYTES_MAX) {
      return image;
    }
    ahead.add(image.getData());
    return Image.getDefaultInstance();
  }

  /// What must be gone in the end, however the turn went.
  private interface Deletion extends AutoCloseable {
    @Override
    void close();
  }

  /// Gives every call the time that a reply may take.
  private static final class InTime implements ClientInterceptor {
    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options,
        Channel next) {
      return next.newCall(method, options.withDeadlineAfter(REPLY_TIME_MAX));
    }
  }
}
