package io.lladav.triton;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.triton.wire.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import io.lladav.triton.wire.ModelInferRequest;
import io.lladav.triton.wire.ModelInferResponse;
import io.lladav.triton.wire.ModelStreamInferResponse;
import io.lladav.triton.wire.ServerLiveRequest;
import io.lladav.triton.wire.ServerLiveResponse;
import io.lladav.triton.wire.SystemSharedMemoryRegisterRequest;
import io.lladav.triton.wire.SystemSharedMemoryRegisterResponse;
import io.lladav.triton.wire.SystemSharedMemoryUnregisterRequest;
import io.lladav.triton.wire.SystemSharedMemoryUnregisterResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/// A server on the loopback address that answers as a test says, and a client to it.
final class ScriptedTriton extends GRPCInferenceServiceImplBase implements AutoCloseable {
  private final Server server;
  private final TritonClient client;
  private volatile ModelStreamInferResponse answer = ModelStreamInferResponse.getDefaultInstance();
  private volatile Status status = Status.OK;
  /// Whether streams are read.
  volatile boolean reads = true;

  ScriptedTriton() {
    try {
      server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
          .addService(this).build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    client = TritonClient.open(TritonConfig.of("127.0.0.1:" + server.getPort()));
  }

  TritonClient client() {
    return client;
  }

  /// Answers every request from now on, on streams too.
  void answers(ModelInferResponse response) {
    status = Status.OK;
    answer = ModelStreamInferResponse.newBuilder().setInferResponse(response).build();
  }

  /// Fails every request from now on, on streams with the status's text.
  void fails(Status failure) {
    status = failure;
    answer = ModelStreamInferResponse.newBuilder().setErrorMessage(String.valueOf(failure.getDescription()))
        .build();
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> responses) {
    if (status.isOk()) {
      responses.onNext(answer.getInferResponse());
      responses.onCompleted();
    } else {
      responses.onError(status.asException());
    }
  }

  @Override
  public StreamObserver<ModelInferRequest> modelStreamInfer(
      StreamObserver<ModelStreamInferResponse> responses) {
    if (!reads) {
      ((ServerCallStreamObserver<ModelStreamInferResponse>) responses).disableAutoRequest();
    }
    return new StreamObserver<>() {
      @Override
      public void onNext(ModelInferRequest request) {
        var told = answer.toBuilder();
        told.getInferResponseBuilder().setModelName(request.getModelName()).setId(request.getId());
        responses.onNext(told.build());
      }

      @Override
      public void onError(Throwable failure) {
        // The client has gone.
      }

      @Override
      public void onCompleted() {
        responses.onCompleted();
      }
    };
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> responses) {
    responses.onError(status.asException());
  }

  @Override
  public void systemSharedMemoryRegister(SystemSharedMemoryRegisterRequest request,
      StreamObserver<SystemSharedMemoryRegisterResponse> responses) {
    responses.onNext(SystemSharedMemoryRegisterResponse.getDefaultInstance());
    responses.onCompleted();
  }

  @Override
  public void systemSharedMemoryUnregister(SystemSharedMemoryUnregisterRequest request,
      StreamObserver<SystemSharedMemoryUnregisterResponse> responses) {
    responses.onNext(SystemSharedMemoryUnregisterResponse.getDefaultInstance());
    responses.onCompleted();
  }

  @Override
  public void close() {
    client.close();
    server.shutdownNow();
  }
}
