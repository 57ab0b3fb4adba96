package io.lladav.gateway;

import static io.lladav.gateway.Requests.question;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.lladav.v1.ChatResponse;
import io.lladav.v1.GenerateResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A client that knows nothing but the frozen descriptor of the released API, `proto/released`, on today's gateway.
@Timeout(120)
final class ReleasedClientTest {
  private static final Path RELEASED = Path.of("../proto/released/lladav-v1.binpb");
  private final Map<String, FileDescriptor> files = files();
  private final Set<String> called = new HashSet<>();
  private final Cluster cluster;

  ReleasedClientTest() throws Exception {
    cluster = Cluster.start();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void generates() throws Exception {
    var today = cluster.client.generate(question("What is this?"));

    var events = call("GenerationService", "Generate", """
        {"messages": [{"role": "ROLE_USER", "parts": [{"text": "What is this?"}]}],
         "decoding": {"genLength": 8, "steps": 4, "seed": 7, "stop": {}},
         "stream": {"provisional": true}}""");

    assertThat(text(events.getFirst())).contains("\"started\"");
    assertThat(events).hasSameSizeAs(today.events());
    assertThat(GenerateResponse.parseFrom(events.getLast().toByteString()).getFinished().getTokenIdsList())
        .isEqualTo(today.ids());
  }

  @Test
  void holdsADialogue() throws Exception {
    var today = cluster.client.generate(question("And now?"));

    var events = call("ConversationService", "Chat", """
        {"open": {"create": {"decoding": {"genLength": 8, "steps": 4, "seed": 7, "stop": {}}}}}""", """
        {"turn": {"parts": [{"text": "And now?"}]}}""");

    assertThat(text(events.getFirst())).contains("\"opened\"", "\"id\"");
    assertThat(text(events.getLast())).contains("\"finished\"");
    assertThat(
        ChatResponse.parseFrom(events.getLast().toByteString()).getReply().getFinished().getTokenIdsList())
        .isEqualTo(today.ids());
  }

  @Test
  void isAnsweredByEveryMethod() throws Exception {
    var opened = call("ConversationService", "Chat", """
        {"open": {"create": {"decoding": {"genLength": 8, "steps": 4}}}}""", """
        {"turn": {"parts": [{"text": "And now?"}]}}""").getFirst();
    var id = ChatResponse.parseFrom(opened.toByteString()).getOpened().getId();
    var known = "{\"id\": \"%s\"}".formatted(id);

    assertThat(text(call("ConversationService", "GetConversation", known).getFirst())).contains("And now?");
    assertThat(text(call("ConversationService", "BranchConversation", """
        {"id": "%s", "turnCount": 1}""".formatted(id)).getFirst())).contains("\"branch\"", "\"id\"");
    assertThat(call("ConversationService", "UndoTurn", known)).hasSize(1);
    assertThat(call("ConversationService", "DeleteConversation", known)).hasSize(1);
    assertThat(text(call("GenerationService", "GetModel", "{}").getFirst())).contains("genLengthMax");
    var question = """
        {"messages": [{"role": "ROLE_USER", "parts": [{"text": "How long?"}]}], "decoding": {"genLength": 8}}""";
    assertThat(text(call("GenerationService", "CountTokens", question).getFirst()))
        .contains("\"textTokens\"");
    assertThat(text(call("GenerationService", "Generate", question).getLast())).contains("\"finished\"");

    assertThat(called).containsExactlyInAnyOrderElementsOf(files.values().stream()
        .flatMap(file -> file.getServices().stream()).flatMap(service -> service.getMethods().stream())
        .map(method -> method.getFullName()).collect(Collectors.toSet()));
  }

  private List<Message> call(String service, String name, String... requests)
      throws InvalidProtocolBufferException, InterruptedException, StatusException {
    var method = method(service, name);
    called.add(descriptor(service, name).getFullName());
    BlockingClientCall<Message, Message> call = ClientCalls.blockingBidiStreamingCall(
        cluster.client.channel(), method,
        CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS));
    var input = descriptor(service, name).getInputType();
    for (var request : requests) {
      var message = DynamicMessage.newBuilder(input);
      JsonFormat.parser().merge(request, message);
      call.write(message.build());
    }
    call.halfClose();
    var responses = new ArrayList<Message>();
    for (var response = call.read(); response != null; response = call.read()) {
      responses.add(response);
    }
    return responses;
  }

  private MethodDescriptor<Message, Message> method(String service, String name) {
    var method = descriptor(service, name);
    return MethodDescriptor.<Message, Message>newBuilder()
        .setFullMethodName(MethodDescriptor.generateFullMethodName("lladav.v1." + service, name))
        .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
        .setRequestMarshaller(ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getInputType())))
        .setResponseMarshaller(
            ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(method.getOutputType())))
        .build();
  }

  private com.google.protobuf.Descriptors.MethodDescriptor descriptor(String service, String name) {
    return files.values().stream().flatMap(file -> file.getServices().stream())
        .filter(known -> known.getName().equals(service))
        .findFirst().orElseThrow().findMethodByName(name);
  }

  private static String text(Message message) throws InvalidProtocolBufferException {
    return JsonFormat.printer().print(message);
  }

  private static Map<String, FileDescriptor> files() {
    try {
      var set = FileDescriptorSet.parseFrom(ByteString.copyFrom(Files.readAllBytes(RELEASED)));
      var built = new HashMap<String, FileDescriptor>();
      for (FileDescriptorProto file : set.getFileList()) { // each behind those that it imports
        built.put(file.getName(), FileDescriptor.buildFrom(file,
            file.getDependencyList().stream().map(built::get).toArray(FileDescriptor[]::new)));
      }
      return built;
    } catch (IOException | DescriptorValidationException e) {
      throw new IllegalStateException(e);
    }
  }
}
