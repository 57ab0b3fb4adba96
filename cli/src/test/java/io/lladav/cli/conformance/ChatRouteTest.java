package io.lladav.cli.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.lladav.cli.chat.ScriptedConversations;
import io.lladav.internal.debug.v1.ReplayRequest;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.Message;
import io.lladav.v1.NewConversation;
import io.lladav.v1.OpenConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ChatRouteTest {
  private static final Path IMAGES = GoldenCases.FOLDER.resolve("images");

  private final ScriptedConversations conversations;
  private final ManagedChannel channel;
  private final ChatRoute route;

  ChatRouteTest() throws Exception {
    conversations = new ScriptedConversations();
    channel = ManagedChannelBuilder.forTarget(conversations.target()).usePlaintext().build();
    route = new ChatRoute(channel);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    conversations.close();
  }

  @Test
  void opensTheConversationAgainForTheLastMessage() {
    var request = message("tiny-d/three-turns");
    var said = request.getRequest().getMessagesList();
    var reply = route.ask(request);

    assertThat(conversations.opened).containsExactly(
        OpenConversation.newBuilder().setCreate(NewConversation.newBuilder()
            .addAllMessages(said.subList(0, said.size() - 1)).setDecoding(request.getRequest().getDecoding()))
            .build(),
        OpenConversation.newBuilder().setId(ScriptedConversations.ID).build());
    assertThat(conversations.completed).as("streams in good order").hasValue(2);
    assertThat(conversations.deadlines).hasSize(2).allMatch(Optional::isPresent);
    assertThat(conversations.turns).singleElement()
        .satisfies(turn -> assertThat(turn.getPartsList()).isEqualTo(said.getLast().getPartsList()));
    assertThat(conversations.deleted).containsExactly(ScriptedConversations.ID);
    assertThat(reply.finished().getText()).isEqualTo("Echo: " + said.getLast().getParts(0).getText());
  }

  @Test
  void sendsLargePicturesAheadAndSmallOnesWithTheirTurn() {
    var request = message("tiny-a/images-two-adjacent");
    var parts = request.getRequest().getMessages(0).getPartsList();
    var _ = route.ask(request);

    assertThat(parts.get(0).getImage().getData().size()).isGreaterThan(8 << 10);
    assertThat(parts.get(1).getImage().getData().size()).isLessThan(8 << 10);
    assertThat(conversations.pictures).containsExactly(parts.get(0).getImage().getData());
    var asked = conversations.turns.getFirst().getPartsList();
    assertThat(asked.get(0).getImage().getData()).isEmpty();
    assertThat(asked.subList(1, 3)).isEqualTo(parts.subList(1, 3));
  }

  @Test
  void sendsFramesLikePictures() {
    var request = message("tiny-a/video-8");
    var frames = request.getRequest().getMessages(0).getPartsList().stream().filter(Part::hasVideo)
        .findFirst().orElseThrow().getVideo();
    var _ = route.ask(request);

    assertThat(conversations.turns.getFirst().getPartsList()).filteredOn(Part::hasVideo).singleElement()
        .satisfies(part -> assertThat(part.getVideo()).as("all frames are small").isEqualTo(frames));
  }

  @Test
  void failsAsTheTurnDid() {
    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> route.ask(question("bad")))
        .satisfies(e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT))
        .withMessage("INVALID_ARGUMENT: turn.parts[0]: bad");
    assertThat(conversations.deleted).hasSize(1);
  }

  @Test
  void deletesTheConversationOfAStreamThatBroke() {
    assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> route.ask(question("broken")))
        .withMessage("INTERNAL: broken");
    assertThat(conversations.deleted).containsExactly(ScriptedConversations.ID);
  }

  @Test
  void cannotFeedInRecordedNumbers() {
    assertThat(List.of("tiny-a/random-order", "tiny-a/system")).map(GoldenCases::read)
        .extracting(golden -> route.obstacle(golden.request()).orElse("none"))
        .containsExactly("random order: a turn of a dialogue takes no recorded numbers", "none");
  }

  private static ReplayRequest question(String text) {
    return ReplayRequest.newBuilder().setRequest(GenerateRequest.newBuilder().addMessages(
        Message.newBuilder().setRole(Role.ROLE_USER).addParts(Part.newBuilder().setText(text)))).build();
  }

  private static ReplayRequest message(String name) {
    return RequestMessage.of(GoldenCases.read(name), IMAGES);
  }
}
