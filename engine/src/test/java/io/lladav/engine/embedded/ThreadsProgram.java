package io.lladav.engine.embedded;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.Cache;
import io.lladav.engine.CanvasLayout;
import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.Forward;
import io.lladav.engine.Precision;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepResult;
import io.lladav.engine.StepWork;
import io.lladav.engine.TokenIds;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.checkpoint.RandomCheckpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

/// Prints a fingerprint of a step computed by a number of threads of its own, which is fixed for a process.
final class ThreadsProgram {
  private ThreadsProgram() {}

  /// @param arguments the number of threads
  public static void main(String[] arguments) {
    try (var runtime = EmbeddedRuntime.start(Integer.parseInt(arguments[0]))) {
      System.out.println(fingerprint(runtime));
    }
  }

  static String fingerprint(EmbeddedRuntime runtime) {
    try {
      var directory = Files.createTempDirectory("lladav-threads");
      RandomCheckpoint
          .of("hidden=160,layers=2,heads=2,mlp=400,vocabulary=1200,vision_width=24,vision_heads=3,seed=4")
          .writeWeights(directory, name -> !name.contains("vision"));
      try (var checkpoint = Checkpoint.open(directory);
          var denoiser = runtime.denoiser(checkpoint, new TokenIds(0, Set.of()), 1200,
              Precision.FP32, 256);
          var canvas = canvas(denoiser, new Cache.None());
          var windows = canvas(denoiser, new Cache.KeysAndValues());
          var features = canvas(denoiser, new Cache.Features(17))) {
        var positions = IntStream.range(150, 220).toArray();
        var draws = new Sampling.Temperature(1, new Random(9).doubles(70).toArray());
        var results = new ArrayList<StepResult>();
        for (var forwards : List.of(List.of(new Forward.Full(), new Forward.Full(), new Forward.Full()),
            List.of(new Forward.Full(), new Forward.Window(150, 220), new Forward.Features(false, false)))) {
          results.addAll(denoiser.run(List.of(
              new StepWork(canvas, positions, new Sampling.Greedy(), 1.5, forwards.get(0), Certainty.MARGIN),
              new StepWork(windows, positions, draws, 1.5, forwards.get(1), Certainty.CONFIDENCE),
              new StepWork(features, positions, draws, 1.5, forwards.get(2), Certainty.NEGATIVE_ENTROPY))));
        }
        return Arrays.toString(results.stream().mapToInt(r -> 31 * (31 * Arrays.hashCode(r.candidates())
            + Arrays.hashCode(r.confidences())) + Arrays.hashCode(r.certainties())).toArray());
      } finally {
        Files.delete(directory.resolve("config.json"));
        Files.delete(directory.resolve("model.safetensors"));
        Files.delete(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static DenoiserSession canvas(DenoiserEngine denoiser, Cache cache) {
    var canvas = denoiser.open(new CanvasLayout(150, 70, 0, true, new AttentionMode.Full(), cache));
    canvas.writeIds(0, new Random(8).ints(150, 0, 1200).toArray());
    return canvas;
  }
}
