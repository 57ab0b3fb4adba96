package io.lladav.denoiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// What tests do with open streams.
final class Calls {
  private Calls() {}

  static void write(BlockingClientCall<DenoiseRequest, DenoiseResponse> stream,
      List<DenoiseRequest> requests) throws Exception {
    for (var request : requests) {
      assertThat(stream.write(request)).isTrue();
    }
  }

  static DenoiseResponse ask(BlockingClientCall<DenoiseRequest, DenoiseResponse> stream,
      DenoiseRequest request) throws Exception {
    stream.write(request);
    var response = stream.read();
    assertThat(response).isNotNull();
    return response;
  }

  static void fails(BlockingClientCall<DenoiseRequest, DenoiseResponse> stream, String message) {
    assertThatExceptionOfType(StatusException.class).isThrownBy(stream::read).withMessage(message);
  }

  static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      LockSupport.parkNanos(1_000_000);
    }
  }
}
