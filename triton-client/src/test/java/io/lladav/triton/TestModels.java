package io.lladav.triton;

import io.lladav.triton.testing.LocalTriton;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/// The models in the test resources, and requests to them.
final class TestModels {
  static final CallSettings LOADING = CallSettings.defaults().withDeadline(Duration.ofMinutes(2));

  private TestModels() {}

  /// A server of the test models, none of which is loaded.
  static LocalTriton.Setup serving() {
    try {
      var models = Objects.requireNonNull(TestModels.class.getResource("/models"), "test resource models");
      return LocalTriton.serving(Path.of(models.toURI()));
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static TritonClient client(LocalTriton triton) {
    return TritonClient.open(TritonConfig.of(triton.target()).withDeadline(Duration.ofMinutes(2)));
  }

  /// A request that the model holds until the signal ID.go.
  static InferRequest hold(String id) {
    return InferRequest.of("hold", TritonTensor.int32("VALUE", new int[]{7}, 1)).withId(id);
  }

  /// As [#hold], in a model with a batch dimension and a queue.
  static InferRequest queued(String id) {
    return InferRequest.of("queue", TritonTensor.int32("VALUE", new int[]{7}, 1, 1)).withId(id);
  }

  /// A request that is answered so many times.
  static InferRequest count(String id, int count, String mode) {
    return InferRequest.of("count", TritonTensor.int32("COUNT", new int[]{count}),
        TritonTensor.strings("MODE", List.of(mode))).withId(id);
  }

  /// A request that fails as told.
  static InferRequest fail(String mode) {
    return InferRequest.of("fail", TritonTensor.strings("MODE", List.of(mode)));
  }
}
