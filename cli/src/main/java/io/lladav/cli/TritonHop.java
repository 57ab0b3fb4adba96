package io.lladav.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.triton.CallSettings;
import io.lladav.triton.InferRequest;
import io.lladav.triton.StreamEvent;
import io.lladav.triton.TritonClient;
import io.lladav.triton.TritonConfig;
import io.lladav.triton.TritonTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// What a step on Triton takes besides its forward: from Java over one stream to the model's scheduler and back, with
/// nothing computed.
///
/// @param count how often it was measured
/// @param medianMillis half of them took no longer
/// @param p99Millis 99 of 100 took no longer
record TritonHop(int count, double medianMillis, double p99Millis) {
  private static final int WARM_UP = 2_000;
  private static final int COUNT = 5_000;

  /// Starts a Triton with a checkpoint, measures, and stops it.
  static TritonHop measure(Path checkpoint) throws IOException, InterruptedException {
    var logs = Files.createTempDirectory("lladav-");
    try (var server = TritonServer.start(checkpoint, new ProcessBuilder().environment(), logs);
        var client = TritonClient.open(TritonConfig.of(server.target()));
        var stream = client.stream(CallSettings.defaults())) {
      var request = InferRequest.of("llada", TritonTensor.strings("OP", List.of("describe")));
      var nanos = new long[COUNT];
      for (int i = -WARM_UP; i < COUNT; i++) {
        long begin = System.nanoTime();
        stream.send(request);
        if (!(stream.read().orElseThrow() instanceof StreamEvent.Answered)) {
          throw new ClusterException("triton refused to describe itself; see " + server.log());
        }
        if (i >= 0) {
          nanos[i] = System.nanoTime() - begin;
        }
      }
      Arrays.sort(nanos);
      Files.deleteIfExists(server.log());
      Files.deleteIfExists(logs);
      return new TritonHop(COUNT, nanos[COUNT / 2] / 1e6, nanos[COUNT * 99 / 100] / 1e6);
    }
  }

  String plain() {
    return "hop to Triton and back, nothing computed: median %.2f ms, 99 %% within %.2f ms (%d times)%n"
        .formatted(medianMillis, p99Millis, count);
  }

  String json() throws IOException {
    return JsonMapper.builder().build().writeValueAsString(Map.of("tritonHop", this)) + "\n";
  }
}
