package io.lladav.cli.bench;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What was measured. `--json` prints it with these names in snake case, and leaves out what was not measured. Times are
/// in seconds, memory in bytes, rates in floating-point operations per second.
///
/// @param date day of the run, as 2026-11-21
/// @param machine where
/// @param workload how
/// @param models one per checkpoint
/// @param preprocessing decoding, cutting and normalising a large picture, compared with the published vision tower
/// @param bars what this project wants to reach, and whether it did in this run
public record BenchReport(String date, Machine machine, Workload workload, List<Model> models,
    @Nullable Preprocessing preprocessing, List<Bar> bars) {
  /// Writes and reads what is measured.
  public static final JsonMapper JSON = JsonMapper.builder()
      .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
      .defaultPropertyInclusion(JsonInclude.Value.construct(JsonInclude.Include.NON_NULL,
          JsonInclude.Include.ALWAYS))
      .build();

  /// Puts together what was measured: adds today's date, this machine and the bars.
  ///
  /// @param load before the run, from [#load]
  /// @throws IllegalArgumentException if there is no model
  public static BenchReport of(Workload workload, double load, List<Model> models,
      @Nullable Preprocessing preprocessing) {
    if (models.isEmpty()) {
      throw new IllegalArgumentException("models: none (expected: at least one)");
    }
    return new BenchReport(LocalDate.now(ZoneId.systemDefault()).toString(),
        ThisMachine.describe(models.getFirst().engine().onnxRuntime(), load), workload, models, preprocessing,
        Bars.of(models, preprocessing));
  }

  /// Returns how many processes of this machine run or wait, averaged over the last minute; below 0 where the system does
  /// not say.
  public static double load() {
    return ThisMachine.load();
  }

  /// Where it was measured.
  ///
  /// @param processor as the system names it
  /// @param cores processors of this JVM
  /// @param memoryBytes of the machine
  /// @param system name and version
  /// @param java version of the JVM
  /// @param onnxRuntime version of the native library
  /// @param load processes running or waiting before the run, averaged over a minute; above 1.5 figures are doubtful
  public record Machine(String processor, int cores, long memoryBytes, String system, String java,
      String onnxRuntime, double load) {}

  /// One checkpoint.
  ///
  /// @param name of its directory; of a random one, its main sizes
  /// @param description its sizes in words; of a random one, the settings that make it again
  /// @param hiddenSize width of the language tower
  /// @param layerCount its layers
  /// @param engine the engine by itself, in a process of its own
  /// @param services the four services, each in a process of its own
  public record Model(String name, String description, int hiddenSize, int layerCount, Engine engine,
      Services services) {}

  /// The engine by itself.
  ///
  /// @param onnxRuntime version of the native library
  /// @param denoiserWeightBytes of the language tower, as 32-bit floats
  /// @param product the large product
  /// @param forwards of the language tower
  /// @param tile the vision tower on one tile
  /// @param projection the projector on one tile's features
  public record Engine(String onnxRuntime, long denoiserWeightBytes, Product product, List<Forward> forwards,
      Part tile, Part projection) {}

  /// One large product of 32-bit floats.
  ///
  /// @param rows of the left factor
  /// @param columns rows and columns of the right one
  /// @param rate operations per second
  public record Product(int rows, int columns, Spread rate) {}

  /// One kind of forward of the language tower.
  ///
  /// @param kind what is computed
  /// @param computedRows positions computed anew; of `interval` more, those whose values are looked at
  /// @param positions of the canvas
  /// @param logitRows positions asked for
  /// @param seconds of one forward
  /// @param operations counted in the engine
  /// @param formulaOperations by the formula of [Operations#forward]; none for `interval`, which it does not cover
  /// @param shareOfProduct operations per second, as a share of the rate of the products measured just before and after
  /// @param shareOfFull time as a share of that of a full forward in the same round; none where there was none
  public record Forward(String kind, int computedRows, int positions, int logitRows, Spread seconds,
      long operations, @Nullable Long formulaOperations, Spread shareOfProduct,
      @Nullable Spread shareOfFull) {}

  /// The vision tower or the projector.
  ///
  /// @param rows features that come out
  /// @param seconds of one run
  /// @param operations by formula
  /// @param shareOfProduct as in [Forward]
  public record Part(int rows, Spread seconds, long operations, Spread shareOfProduct) {}

  /// The four services.
  ///
  /// @param startSeconds until all were serving
  /// @param kinds generations by kind, one at a time
  /// @param atOnce short generations, several at a time
  /// @param picture a picture's way to the denoiser
  /// @param memory of each service, after all generations
  /// @param denoiserMemory what the denoiser may take
  /// @param flatness memory over many generations
  public record Services(double startSeconds, List<Kind> kinds, List<AtOnce> atOnce,
      PictureWay picture, List<Memory> memory, DenoiserMemory denoiserMemory,
      @Nullable Flatness flatness) {}

  /// Generations of one kind.
  ///
  /// @param kind cache, strategy or guidance
  /// @param notServed what the gateway says, if it refuses the kind; then there are no figures
  /// @param figures what was measured
  public record Kind(String kind, @Nullable String notServed, @Nullable Figures figures) {}

  /// What generations of one kind took.
  ///
  /// @param promptTokens positions of the prompt
  /// @param generatedTokens positions of the reply
  /// @param steps of one reply
  /// @param tokensPerForward positions of the reply per model call
  /// @param tokensPerSecond positions of the reply by the whole time of a request, prompt included
  /// @param step where the time of a step goes
  public record Figures(int promptTokens, int generatedTokens, int steps, double tokensPerForward,
      Spread tokensPerSecond, Step step) {}

  /// Where the time of a step goes, as the gateway reports it; means of a reply, whose spread is over the replies.
  ///
  /// @param seconds of a step in all
  /// @param queue waiting in the denoiser
  /// @param forward arithmetic of the batch it was in
  /// @param policy choosing what to commit
  /// @param wire all the rest: messages to the denoiser and back, threads waking up, events to the client
  /// @param around everything but waiting and arithmetic: `policy` and `wire`
  public record Step(Spread seconds, Spread queue, Spread forward, Spread policy, Spread wire,
      Spread around) {}

  /// Short generations, several at once.
  ///
  /// @param streams how many at once
  /// @param promptPositions of each
  /// @param seconds until all were finished
  /// @param sooner how many times sooner than one after another, in the same round
  /// @param tokensPerSecond of all together
  /// @param stepsPerBatch steps that the denoiser computed together on average, by its metrics
  /// @param busy share of the time in which the denoiser computed, by its metrics
  public record AtOnce(int streams, int promptPositions, Spread seconds, Spread sooner,
      Spread tokensPerSecond,
      @Nullable Double stepsPerBatch, @Nullable Double busy) {}

  /// A picture's way to the denoiser.
  ///
  /// @param tiles it is cut into
  /// @param visualTokens positions it takes
  /// @param seconds from the picture's bytes at the gateway to its embeddings at the denoiser
  /// @param secondsPerTile that by tiles
  public record PictureWay(int tiles, int visualTokens, Spread seconds, Spread secondsPerTile) {}

  /// Memory of one service.
  ///
  /// @param service which
  /// @param residentBytes held at the end (VmRSS)
  /// @param peakBytes the most it ever held (VmHWM)
  public record Memory(String service, long residentBytes, long peakBytes) {}

  /// What the denoiser may take.
  ///
  /// @param weightBytes weights once, as 32-bit floats
  /// @param cacheBytes caches of the generation that kept most, by formula
  /// @param otherBytes for everything else
  public record DenoiserMemory(long weightBytes, long cacheBytes, long otherBytes) {
    /// All of it.
    long allowedBytes() {
      return weightBytes + cacheBytes + otherBytes;
    }
  }

  /// Memory over many generations, after a collection of garbage each time.
  ///
  /// @param generations in all
  /// @param samples a few on the way
  /// @param growthBytes what each service has gained from the sample at a third to the last one
  public record Flatness(int generations, List<Sample> samples, Map<String, Long> growthBytes) {}

  /// @param generations finished so far
  /// @param residentBytes by service
  public record Sample(int generations, Map<String, Long> residentBytes) {}

  /// Decoding, cutting and normalising a picture.
  ///
  /// @param width pixels
  /// @param height pixels
  /// @param tiles it is cut into
  /// @param seconds of the whole preprocessing, one thread
  /// @param tileSeconds of one tile in a vision tower of the published sizes
  /// @param shareOfTile `seconds` by `tileSeconds`, in the same round
  public record Preprocessing(int width, int height, int tiles, Spread seconds, Spread tileSeconds,
      Spread shareOfTile) {}

  /// Something that this project wants to reach.
  ///
  /// @param what in words
  /// @param model of which checkpoint
  /// @param measured in this run
  /// @param expected the bound
  /// @param holds whether it was reached
  public record Bar(String what, String model, String measured, String expected, boolean holds) {}
}
