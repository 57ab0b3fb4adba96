package io.lladav.gateway;

import io.lladav.gateway.conversation.ConversationStore;
import io.lladav.gateway.conversation.InMemoryConversations;
import io.lladav.model.CheckpointException;
import io.lladav.runtime.ServiceMain;
import io.lladav.runtime.ServiceProcess;
import java.time.Clock;

/// The gateway process.
public final class Main {
  private Main() {}

  /// Runs the gateway until it is stopped; see [ServiceMain] for its arguments and exit codes.
  public static void main(String[] args) {
    ServiceMain.of("gateway", GatewayConfig.defaults(), CheckpointException.class).run(args, Main::assemble);
  }

  /// Puts the process together; returns when every service behind it has shown the same checkpoint.
  static void assemble(GatewayConfig config, ServiceProcess process) throws InterruptedException {
    var conversations = process.own(new InMemoryConversations(config.conversations(), Clock.systemUTC()));
    process.metrics().gauge("lladav_conversations", "Conversations kept.", conversations::count);
    process.metrics().gauge("lladav_conversation_bytes", "Bytes of conversations kept.",
        conversations::bytes);
    assemble(config, process, conversations);
  }

  /// The same with conversations kept elsewhere.
  static void assemble(GatewayConfig config, ServiceProcess process, ConversationStore conversations)
      throws InterruptedException {
    var served = process.own(ServedModel.open(config.checkpoint(), config.limits().promptPositionsMax()));
    var backends = process.own(Backends.open(config));
    var denoiser = new Handshake(backends, served.checkpoint().digest()).complete();
    var admission = new Admission(config.limits());
    process.onDrain(admission::drain);
    process.metrics().gauge("lladav_generations_waiting",
        "Requests that wait for a place among those that run.",
        admission::waitingCount);
    var parser = new RequestParser(served.tokenizer(), config.limits());
    var generator = new Generator(served, denoiser, backends, config,
        new GenerationMetrics(process.metrics()));
    process.add(new GenerationEndpoint(admission, parser, new Answers(generator),
        new SharedReplies(config.sharedReplies(), Clock.systemUTC()),
        new TokenCounter(parser, served, denoiser.canvasPositionsMax()),
        ModelCard.of(served, denoiser.identity(), config)));
    var dialogues = process.own(new ConversationEndpoint(
        new RunningTurn.Services(admission, parser, generator, denoiser.identity(), conversations),
        config.limits(), config.conversations()));
    process.onDrain(dialogues::drain);
    process.add(dialogues);
    if (config.debugService()) {
      process.add(new DebugEndpoint(admission, parser, generator, denoiser.identity()));
    }
  }
}
