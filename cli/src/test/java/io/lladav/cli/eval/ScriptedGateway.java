package io.lladav.cli.eval;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc.GenerationServiceImplBase;
import io.lladav.v1.GetModelRequest;
import io.lladav.v1.GetModelResponse;
import io.lladav.v1.ModelIdentity;
import io.lladav.v1.Started;
import io.lladav.v1.Usage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// A gateway that answers `Say X` with `X` in 4 tokens, 2 steps and 3 forwards, and refuses what holds `bad`.
public final class ScriptedGateway extends GenerationServiceImplBase implements AutoCloseable {
  public final List<GenerateRequest> requests = new CopyOnWriteArrayList<>();
  private final Server server;
  private final int port;
  private volatile String precision = "fp32";

  public ScriptedGateway() throws IOException {
    server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
        .addService(this).build().start();
    port = server.getPort();
  }

  public String target() {
    return "127.0.0.1:" + port;
  }

  /// Serves another model from now on.
  public void serve(String otherPrecision) {
    precision = otherPrecision;
  }

  @Override
  public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> responses) {
    responses.onNext(GetModelResponse.newBuilder().setIdentity(ModelIdentity.newBuilder()
        .setCheckpointDigest("abc").setEngine("embedded").setPrecision(precision)).build());
    responses.onCompleted();
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> responses) {
    requests.add(request);
    var text = request.getMessagesList().getLast().getPartsList().getLast().getText();
    if (text.contains("bad")) {
      responses.onError(Status.INVALID_ARGUMENT.withDescription("messages[0]: bad").asException());
      return;
    }
    responses.onNext(GenerateResponse.newBuilder().setStarted(Started.getDefaultInstance()).build());
    responses.onNext(GenerateResponse.newBuilder().setFinished(Finished.newBuilder()
        .setText(text.substring("Say ".length()))
        .setUsage(Usage.newBuilder().setGeneratedTokens(4).setSteps(2).setNfe(3))).build());
    responses.onCompleted();
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
