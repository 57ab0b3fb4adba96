package io.lladav.gateway;

import io.lladav.internal.denoiser.v1.DenoiseRequest;
import io.lladav.internal.denoiser.v1.DenoiseResponse;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc;
import io.lladav.internal.projector.v1.ProjectRequest;
import io.lladav.internal.projector.v1.ProjectResponse;
import io.lladav.internal.projector.v1.ProjectorServiceGrpc;
import io.lladav.internal.vision.v1.EncodeRequest;
import io.lladav.internal.vision.v1.EncodeResponse;
import io.lladav.internal.vision.v1.VisionServiceGrpc;
import java.time.Duration;

/// The three services behind the gateway.
///
/// Streams opened here end with the `io.grpc.Context` they are opened in: a client that leaves takes all of its
/// work with it.
final class Backends implements AutoCloseable {
  private final Backend vision;
  private final Backend projector;
  private final Backend denoiser;
  private final Duration visualTimeout;
  private final Duration stepTimeout;

  private Backends(Backend vision, Backend projector, Backend denoiser, Duration visualTimeout,
      Duration stepTimeout) {
    this.vision = vision;
    this.projector = projector;
    this.denoiser = denoiser;
    this.visualTimeout = visualTimeout;
    this.stepTimeout = stepTimeout;
  }

  /// Prepares the ways to all three.
  static Backends open(GatewayConfig config) {
    return new Backends(
        Backend.open("vision-service", config.visionTarget(), config.client()),
        Backend.open("projector-service", config.projectorTarget(), config.client()),
        Backend.open("denoiser-service", config.denoiserTarget(), config.client()),
        config.visualTimeout(), config.stepTimeout());
  }

  Backend vision() {
    return vision;
  }

  Backend projector() {
    return projector;
  }

  Backend denoiser() {
    return denoiser;
  }

  /// Opens a stream for one picture.
  BackendCall<EncodeRequest, EncodeResponse> encode() {
    return vision.call(visualTimeout, channel -> VisionServiceGrpc.newBlockingV2Stub(channel).encode());
  }

  /// Opens a stream for one picture's or video's features.
  BackendCall<ProjectRequest, ProjectResponse> project() {
    // It answers once it has features: the vision service's time comes on top of its own.
    return projector.call(visualTimeout.multipliedBy(2),
        channel -> ProjectorServiceGrpc.newBlockingV2Stub(channel).project());
  }

  /// Opens a stream for one generation.
  BackendCall<DenoiseRequest, DenoiseResponse> denoise() {
    return denoiser.call(stepTimeout, channel -> DenoiserServiceGrpc.newBlockingV2Stub(channel).denoise());
  }

  /// Ends every call.
  @Override
  public void close() {
    vision.close();
    projector.close();
    denoiser.close();
  }
}
