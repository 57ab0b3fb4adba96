package io.lladav.vision;

import io.lladav.engine.EngineException;
import io.lladav.engine.VisionEngine;
import io.lladav.engine.embedded.EmbeddedRuntime;
import io.lladav.engine.triton.BackendListener;
import io.lladav.engine.triton.ServedRequest;
import io.lladav.engine.triton.TritonEngines;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.image.VisualPlanner;
import io.lladav.runtime.BackendHealth;
import io.lladav.runtime.RequestContext;
import io.lladav.runtime.ServiceMain;
import io.lladav.runtime.ServiceProcess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The vision process: a checkpoint, its vision tower, and the endpoint that encodes pictures with it.
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  private Main() {}

  /// Runs until SIGTERM; arguments are those of [ServiceMain].
  public static void main(String[] args) {
    ServiceMain.of("vision", VisionServiceConfig.defaults(), CheckpointException.class, EngineException.class)
        .run(args, Main::assemble);
  }

  static void assemble(VisionServiceConfig config, ServiceProcess process) {
    var checkpoint = process.own(Checkpoint.open(config.checkpoint()));
    checkpoint.warnings().forEach(LOG::warn);
    var engine = process.own(engine(config, checkpoint, process));
    serve(checkpoint.digest(), engine, new VisualPlanner(checkpoint.visualSettings()), config, process);
  }

  private static VisionEngine engine(VisionServiceConfig config, Checkpoint checkpoint,
      ServiceProcess process) {
    return switch (config.engine()) {
      case EMBEDDED -> process.own(EmbeddedRuntime.start(config.threads())).vision(checkpoint);
      case TRITON -> {
        var health = new BackendHealth(process);
        yield TritonEngines.vision(checkpoint, config.precision(), config.triton(),
            new BackendListener(health::ready, health::repaired),
            () -> RequestContext.current()
                .map(request -> new ServedRequest(request.requestId(), request.headers())));
      }
    };
  }

  static void serve(String checkpointDigest, VisionEngine engine, VisualPlanner planner,
      VisionServiceConfig config,
      ServiceProcess process) {
    TileEncoder.warmUp(engine);
    var endpoint = process
        .own(new VisionEndpoint(checkpointDigest, engine, planner, config, process.metrics()));
    process.add(endpoint);
  }
}
