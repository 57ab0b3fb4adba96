package io.lladav.engine.embedded;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.EngineException;
import io.lladav.engine.EngineIdentity;
import io.lladav.engine.EngineKind;
import io.lladav.engine.Precision;
import io.lladav.engine.ProjectorEngine;
import io.lladav.engine.TokenIds;
import io.lladav.engine.VisionEngine;
import io.lladav.engine.embedded.GraphSession.Weights;
import io.lladav.model.CheckpointException;
import io.lladav.model.checkpoint.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// ONNX Runtime in this process, with the one thread pool that all engines share. The native library allows one
/// configuration per process: the first `start` decides the number of threads.
public final class EmbeddedRuntime implements AutoCloseable {
  private static final String NUMERICS_VERSION = "2";

  private final OrtEnvironment environment;
  private final Path weightFolder;
  private final ForkJoinPool pool;
  private final LongAdder operations = new LongAdder();

  private EmbeddedRuntime(OrtEnvironment environment, Path weightFolder, int threads) {
    this.environment = environment;
    this.weightFolder = weightFolder;
    this.pool = new ForkJoinPool(threads);
  }

  /// Loads the native library and starts its threads.
  ///
  /// The language tower's results have the same bits with any number of threads. Those of the vision tower and the
  /// projector do as long as each thread has at least 64 columns of every weight matrix to itself (at the published
  /// sizes: up to 18 threads); beyond, sums are rounded in another order.
  ///
  /// @param threads how many compute at once, the calling thread among them; at least 1
  /// @throws EngineException if the native library cannot be loaded, or was configured before with other threads
  public static EmbeddedRuntime start(int threads) {
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads: %s (expected: 1..1024)".formatted(threads));
    }
    try {
      var folder = Files.createTempDirectory("lladav-engine");
      Files.createFile(folder.resolve(GraphBuilder.WEIGHT_LOCATION));
      return new EmbeddedRuntime(SharedEnvironment.get(threads), folder, threads);
    } catch (IOException e) {
      throw new UncheckedIOException("java.io.tmpdir: cannot be written to", e);
    }
  }

  /// Builds the vision tower of a checkpoint, which must stay open as long as the engine.
  ///
  /// @throws EngineException if the native library refuses the graph
  public VisionEngine vision(Checkpoint checkpoint) {
    return new EmbeddedVision(this, checkpoint);
  }

  /// Builds the projector of a checkpoint, which must stay open as long as the engine.
  ///
  /// @throws EngineException if the native library refuses the graph
  public ProjectorEngine projector(Checkpoint checkpoint) {
    return new EmbeddedProjector(this, checkpoint);
  }

  /// Builds the language tower of a checkpoint, which must stay open as long as the engine.
  ///
  /// @param tokens special ids, from the checkpoint's tokenizer
  /// @param vocabularySize how many tokens the tokenizer has
  /// @param precision of the layers' matrices
  /// @param sliceRows rows that go through a matrix at a time, at least 2. Enough to compute at full speed, few enough
  ///     that what lies between two slices is no long wait: 256
  /// @throws CheckpointException if the embedding has fewer rows than that, or a special id does not exist
  /// @throws EngineException if the native library refuses the graph
  /// @throws IllegalArgumentException if the embedded engine does not have that precision
  public DenoiserEngine denoiser(Checkpoint checkpoint, TokenIds tokens, int vocabularySize,
      Precision precision,
      int sliceRows) {
    if (!precision.isServedBy(EngineKind.EMBEDDED)) {
      throw new IllegalArgumentException(
          "precision: %s (expected: fp32 or int8)".formatted(precision.identity()));
    }
    return new EmbeddedDenoiser(this, checkpoint, tokens, vocabularySize, precision, sliceRows);
  }

  static EngineIdentity identity(Precision precision) {
    return new EngineIdentity("embedded", precision.identity(), NUMERICS_VERSION);
  }

  /// Builds one large matrix product, to compare other arithmetic with: `rows` times `inner` values by a matrix of
  /// `inner` times `columns`.
  ///
  /// @throws EngineException if the native library refuses the graph
  public MatrixProduct product(int rows, int inner, int columns) {
    return new MatrixProduct(this, rows, inner, columns);
  }

  /// Returns how many floating-point operations all language towers and matrix products have done so far in matrix
  /// products and attention: two per multiplication.
  public long operations() {
    return operations.sum();
  }

  /// Returns the version of the native library.
  public String libraryVersion() {
    return environment.getVersion();
  }

  /// Removes what was written to the temporary directory. The native library stays loaded.
  @Override
  public void close() {
    pool.close();
    try {
      Files.deleteIfExists(weightFolder.resolve(GraphBuilder.WEIGHT_LOCATION));
      Files.deleteIfExists(weightFolder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Runs `task` for 0..count-1 on as many threads as compute at once; returns when all are done.
  void inParallel(int count, IntConsumer task) {
    pool.submit(() -> IntStream.range(0, count).parallel().forEach(task)).join();
  }

  /// Adds to [#operations].
  void count(long multiplications) {
    operations.add(2 * multiplications);
  }

  OrtEnvironment environment() {
    return environment;
  }

  OrtSession.SessionOptions sessionOptions(Weights weights) throws OrtException {
    var options = new OrtSession.SessionOptions();
    options.disablePerSessionThreads();
    switch (weights) {
      case MAPPED -> options.addConfigEntry("session.disable_prepacking", "1");
      /* A language model takes hundreds of sessions: each with an arena of its own would keep what it once needed. */
      case PACKED -> options.setCPUArenaAllocator(false);
    }
    options.addConfigEntry("session.model_external_initializers_file_folder_path", weightFolder.toString());
    /* One pattern would be kept for every canvas length ever seen. */
    options.setMemoryPatternOptimization(false);
    return options;
  }

  /// The native library's process-wide state, which outlives every runtime.
  private static final class SharedEnvironment {
    private static int threadsChosen;

    static synchronized OrtEnvironment get(int threads) {
      if (threadsChosen != 0 && threadsChosen != threads) {
        throw new EngineException(
            "threads: %s (expected: %s, chosen before in this process)".formatted(threads, threadsChosen));
      }
      NativeTelemetry.disable();
      try (var threading = new OrtEnvironment.ThreadingOptions()) {
        threading.setGlobalIntraOpNumThreads(threads);
        threading.setGlobalInterOpNumThreads(1);
        /* Several services share a machine; threads that wait by spinning would take it from the others. */
        threading.setGlobalSpinControl(false);
        var environment = threadsChosen == 0
            ? OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING, "lladav", threading)
            : OrtEnvironment.getEnvironment();
        environment.setTelemetry(false);
        threadsChosen = threads;
        return environment;
      } catch (OrtException | UnsatisfiedLinkError | IllegalStateException e) {
        throw new EngineException("ONNX Runtime cannot be started: " + e.getMessage(), e);
      }
    }
  }
}
