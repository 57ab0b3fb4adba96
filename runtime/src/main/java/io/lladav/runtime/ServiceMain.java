package io.lladav.runtime;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/// Runs a service process from its command line to its end.
///
/// `--config FILE` names a YAML file, `--set KEY=VALUE` sets one key and wins over file and environment, `--print-config`
/// prints the effective configuration and exits with 0.
/// A bad configuration, or a failure of an explained type, ends the start with one line on standard error and
/// exit code 1. SIGTERM and SIGINT stop the process in order.
///
/// @param <C> the service's configuration record
public final class ServiceMain<C extends Record & ServiceConfig> {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceMain.class);

  private static final int SIGTERM_EXIT_CODE = 143;

  private final String service;
  private final C defaults;
  private final List<Class<? extends RuntimeException>> explained;

  /// What a process is made of.
  ///
  /// @param <C> the service's configuration record
  @FunctionalInterface
  public interface Assembly<C> {
    /// Builds the parts, adds the services and warms up. When it returns, the process is marked as serving.
    ///
    /// @throws Exception that ends the start
    void assemble(C config, ServiceProcess process) throws Exception;
  }

  private ServiceMain(String service, C defaults, List<Class<? extends RuntimeException>> explained) {
    this.service = service;
    this.defaults = defaults;
    this.explained = explained;
  }

  /// The main program of one service.
  ///
  /// @param service the service's name in kebab case, for example `vision`; its environment variables start
  ///     with `LLADAV_VISION_`
  /// @param defaults the value of every key that nobody sets
  /// @param explained exceptions whose message alone tells the operator why the start failed
  @SafeVarargs
  @SuppressWarnings("varargs")
  public static <C extends Record & ServiceConfig> ServiceMain<C> of(String service, C defaults,
      Class<? extends RuntimeException>... explained) {
    return new ServiceMain<>(service, defaults, List.of(explained));
  }

  /// Runs the process until it is stopped; does not return normally if the start fails.
  public void run(String[] args, Assembly<C> assembly) {
    // grpc-java logs by java.util.logging.
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    int exitCode = run(List.of(args), System.getenv(), System.out, System.err, assembly);
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /// The same with everything that comes from outside as a parameter; returns the exit code.
  int run(List<String> args, Map<String, String> environment, PrintStream out, PrintStream err,
      Assembly<C> assembly) {
    try {
      var arguments = Arguments.parse(args);
      var loader = new ConfigLoader<>(service, defaults);
      var config = loader.load(arguments.configFile(), environment, arguments.settings());
      if (arguments.printConfig()) {
        out.print(loader.print(config));
        out.flush();
        return 0;
      }
      serve(config, assembly);
      return 0;
    } catch (Throwable e) {
      err.println("lladav " + service + ": " + explain(e));
      return 1;
    }
  }

  private void serve(C config, Assembly<C> assembly) throws Exception {
    var starting = new AtomicBoolean(true);
    try (var process = ServiceProcess.start(service, config.grpc(), config.metrics())) {
      Runtime.getRuntime()
          .addShutdownHook(Thread.ofPlatform().name("stop").unstarted(() -> stop(process, starting)));
      try {
        assembly.assemble(config, process);
      } finally {
        starting.set(false);
      }
      process.markServing();
      process.awaitClosed();
    }
  }

  private static void stop(ServiceProcess process, AtomicBoolean starting) {
    if (starting.get()) {
      // The starting thread may be inside native code that reads what an orderly stop would free.
      LOG.atInfo().log("stopped while starting");
      Runtime.getRuntime().halt(SIGTERM_EXIT_CODE);
    }
    try {
      process.close();
    } catch (IllegalStateException e) {
      LOG.atError().setCause(e).log("stop failed");
    }
  }

  private String explain(Throwable failure) {
    if (failure instanceof ConfigException
        || explained.stream().anyMatch(type -> type.isInstance(failure))) {
      return String.valueOf(failure.getMessage());
    }
    LOG.atError().setCause(failure).log("start failed");
    return "start failed: " + failure;
  }
}
