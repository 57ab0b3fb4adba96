package io.lladav.cli;

import io.lladav.v1.Message;
import io.lladav.v1.NewConversation;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Talks with a running gateway.
// @formatter:off: the formatter joins annotations into lines of any length.
@Command(name = "chat",
    description = "Holds a dialogue with a running cluster; /help lists what can be typed besides questions.")
// @formatter:on
final class ChatCommand implements Callable<Integer> {
  // @formatter:off: the formatter joins annotations into lines of any length.
  @Option(names = "--image", paramLabel = "FILE",
      description = "A picture for the first question; may be given again.")
  private List<Path> images = new ArrayList<>();

  @Option(names = "--system", paramLabel = "TEXT", description = "Replaces the default system message.")
  private @Nullable String system;

  @Option(names = "--target", paramLabel = "HOST:PORT", defaultValue = "localhost:7400",
      description = "The gateway (default: ${DEFAULT-VALUE}).")
  private String target = "";

  @Mixin
  private DecodingOptions decoding = new DecodingOptions();
  // @formatter:on

  @Override
  public Integer call() throws Exception {
    try (var gateway = Gateway.at(target); var lines = LineSource.standardInput()) {
      var chat = new Chat(gateway.begin(beginning()), lines, Terminal.output(), decoding.toMessage());
      for (var file : images) {
        chat.add(file);
      }
      chat.hold();
    }
    return 0;
  }

  private NewConversation beginning() {
    var beginning = NewConversation.newBuilder().setDecoding(decoding.toMessage());
    if (system != null) {
      beginning.addMessages(Message.newBuilder().setRole(Role.ROLE_SYSTEM)
          .addParts(Part.newBuilder().setText(system)));
    }
    return beginning.build();
  }
}
