package io.lladav.gateway;

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
    var served = process.own(ServedModel.open(config.checkpoint(), config.limits().promptPositionsMax()));
    var backends = process.own(Backends.open(config));
    var denoiser = new Handshake(backends, served.checkpoint().digest()).complete();
    var admission = new Admission(config.limits().concurrentGenerationsMax());
    var parser = new RequestParser(served.tokenizer(), config.limits());
    var generator = new Generator(served, denoiser, backends, config,
        new GenerationMetrics(process.metrics()));
    process.add(new GenerationEndpoint(admission, parser, new Answers(generator),
        new SharedReplies(config.sharedReplies(), Clock.systemUTC()),
        new TokenCounter(parser, served, denoiser.canvasPositionsMax()),
        ModelCard.of(served, denoiser.identity(), config)));
    if (config.debugService()) {
      process.add(new DebugEndpoint(admission, parser, generator, denoiser.identity()));
    }
  }
}
