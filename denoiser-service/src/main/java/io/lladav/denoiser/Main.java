package io.lladav.denoiser;

import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.EngineException;
import io.lladav.engine.TokenIds;
import io.lladav.engine.embedded.EmbeddedRuntime;
import io.lladav.engine.triton.BackendListener;
import io.lladav.engine.triton.ServedRequest;
import io.lladav.engine.triton.TritonEngines;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.prompt.SpecialTokens;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.runtime.BackendHealth;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.ServiceMain;
import io.lladav.runtime.ServiceProcess;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The denoiser process: a checkpoint, the language tower, and the endpoint that serves sessions on it.
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  private Main() {}

  /// Runs until SIGTERM; arguments are those of [ServiceMain].
  public static void main(String[] args) {
    ServiceMain
        .of("denoiser", DenoiserServiceConfig.defaults(), CheckpointException.class, EngineException.class)
        .run(args, Main::assemble);
  }

  static void assemble(DenoiserServiceConfig config, ServiceProcess process) {
    var checkpoint = process.own(Checkpoint.open(config.checkpoint()));
    checkpoint.warnings().forEach(LOG::warn);
    try (var tokenizer = Tokenizer.load(config.checkpoint())) {
      var special = tokenizer.specialTokens();
      var engine = process.own(engine(config, checkpoint, tokenizer, process));
      var positionsMax = Math.min(ServedModel.positionsMax(checkpoint), config.canvasPositionsMax());
      var model = new ServedModel(checkpoint.digest(), engine.identity(), special.mask(), positionsMax);
      serve(model, engine, config, process);
    }
  }

  private static DenoiserEngine engine(DenoiserServiceConfig config, Checkpoint checkpoint,
      Tokenizer tokenizer,
      ServiceProcess process) {
    return switch (config.engine()) {
      case EMBEDDED -> process.own(EmbeddedRuntime.start(config.threads())).denoiser(checkpoint,
          tokenIds(tokenizer.specialTokens()), tokenizer.size(), config.precision(), config.sliceRows());
      case TRITON -> {
        var health = new BackendHealth(process);
        yield TritonEngines.denoiser(checkpoint, tokenizer.size(), config.precision(), config.triton(),
            new BackendListener(health::ready, health::repaired),
            () -> RequestContext.current()
                .map(request -> new ServedRequest(request.requestId(), request.headers())));
      }
    };
  }

  static void serve(ServedModel model, DenoiserEngine engine, DenoiserServiceConfig config,
      ServiceProcess process) {
    WarmUp.run(engine);
    var endpoint = process.own(new DenoiserEndpoint(model, engine, config, process.metrics()));
    process.add(endpoint);
    process.onDrain(endpoint::drain);
  }

  private static TokenIds tokenIds(SpecialTokens special) {
    return new TokenIds(special.mask(),
        Set.of(special.endOfText(), special.startOfText(), special.headerStart(), special.headerEnd()));
  }
}
