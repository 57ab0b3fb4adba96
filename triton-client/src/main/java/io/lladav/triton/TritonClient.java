package io.lladav.triton;

import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.lladav.triton.TritonException.TooLarge;
import io.lladav.triton.wire.GRPCInferenceServiceGrpc;
import io.lladav.triton.wire.ModelInferRequest;
import io.lladav.triton.wire.ModelMetadataRequest;
import io.lladav.triton.wire.ModelReadyRequest;
import io.lladav.triton.wire.ModelRepositoryParameter;
import io.lladav.triton.wire.ModelStatisticsRequest;
import io.lladav.triton.wire.RepositoryIndexRequest;
import io.lladav.triton.wire.RepositoryModelLoadRequest;
import io.lladav.triton.wire.RepositoryModelUnloadRequest;
import io.lladav.triton.wire.ServerLiveRequest;
import io.lladav.triton.wire.ServerMetadataRequest;
import io.lladav.triton.wire.ServerReadyRequest;
import io.lladav.triton.wire.StatisticDuration;
import io.lladav.triton.wire.SystemSharedMemoryRegisterRequest;
import io.lladav.triton.wire.SystemSharedMemoryStatusRequest;
import io.lladav.triton.wire.SystemSharedMemoryUnregisterRequest;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A connection to one Triton Inference Server. May be used by any number of threads at once.
///
/// Calls block; they are meant for virtual threads. They end early with the `io.grpc.Context` they are made in and
/// with the interruption of their thread. Nothing is repeated by itself. Every failure is a [TritonException].
public final class TritonClient implements AutoCloseable {
  private final TritonConfig config;
  private final ManagedChannel connection;
  private final Channel channel;

  private TritonClient(TritonConfig config, ManagedChannel connection, List<ClientInterceptor> interceptors) {
    this.config = config;
    this.connection = connection;
    this.channel = ClientInterceptors.intercept(connection, interceptors);
  }

  /// Opens a client. It connects at the first call.
  ///
  /// @param interceptors see every call, the first of them last
  /// @throws IllegalArgumentException if the target cannot be parsed
  /// @throws UncheckedIOException if a file of the transport cannot be read
  public static TritonClient open(TritonConfig config, ClientInterceptor... interceptors) {
    var channel = NettyChannelBuilder.forTarget(config.target(), credentials(config.transport()))
        .maxInboundMessageSize(config.inboundBytesMax())
        .keepAliveTime(config.keepaliveTime().toMillis(), TimeUnit.MILLISECONDS)
        .keepAliveTimeout(config.keepaliveTimeout().toMillis(), TimeUnit.MILLISECONDS)
        // The caller knows which requests may be sent twice.
        .disableRetry();
    if (config.transport() instanceof Transport.Tls tls) {
      tls.serverName().ifPresent(channel::overrideAuthority);
    }
    return new TritonClient(config, channel.build(), List.of(interceptors));
  }

  /// Whether the server lives.
  ///
  /// @throws TritonException.Leaving if it is shutting down
  public boolean isLive() {
    return call("", GRPCInferenceServiceGrpc.getServerLiveMethod(), ServerLiveRequest.getDefaultInstance(),
        CallSettings.defaults()).getLive();
  }

  /// Whether the server is ready. With default flags it no longer is once any model could not be loaded, though the others
  /// serve. A model whose process has died does not change it.
  ///
  /// @throws TritonException.Leaving if it is shutting down
  public boolean isReady() {
    return call("", GRPCInferenceServiceGrpc.getServerReadyMethod(), ServerReadyRequest.getDefaultInstance(),
        CallSettings.defaults()).getReady();
  }

  /// Whether a model is loaded; false for models that do not exist. A model whose process has died counts as loaded.
  ///
  /// @param version empty: any
  public boolean isModelReady(String model, String version) {
    var request = ModelReadyRequest.newBuilder().setName(model).setVersion(version).build();
    return call(model, GRPCInferenceServiceGrpc.getModelReadyMethod(), request, CallSettings.defaults())
        .getReady();
  }

  /// What the server says of itself.
  public ServerMetadata serverMetadata() {
    var answer = call("", GRPCInferenceServiceGrpc.getServerMetadataMethod(),
        ServerMetadataRequest.getDefaultInstance(), CallSettings.defaults());
    return new ServerMetadata(answer.getName(), answer.getVersion(), List.copyOf(answer.getExtensionsList()));
  }

  /// What the server says of a model.
  ///
  /// @param version empty: the one that the server would choose
  /// @throws TritonException.MissingModel if there is none
  public ModelMetadata modelMetadata(String model, String version) {
    var request = ModelMetadataRequest.newBuilder().setName(model).setVersion(version).build();
    var answer = call(model, GRPCInferenceServiceGrpc.getModelMetadataMethod(), request,
        CallSettings.defaults());
    return new ModelMetadata(answer.getName(), List.copyOf(answer.getVersionsList()), answer.getPlatform(),
        tensors(answer.getInputsList()), tensors(answer.getOutputsList()));
  }

  /// What the server has counted for a model, by version.
  ///
  /// @throws TritonException.MissingModel if there is none
  public List<ModelStatistics> modelStatistics(String model) {
    var request = ModelStatisticsRequest.newBuilder().setName(model).build();
    return call(model, GRPCInferenceServiceGrpc.getModelStatisticsMethod(), request, CallSettings.defaults())
        .getModelStatsList().stream().map(TritonClient::statistics).toList();
  }

  /// The models in the server's repository.
  public List<RepositoryModel> repositoryIndex() {
    return call("", GRPCInferenceServiceGrpc.getRepositoryIndexMethod(),
        RepositoryIndexRequest.getDefaultInstance(), CallSettings.defaults()).getModelsList().stream()
        .map(model -> new RepositoryModel(model.getName(), model.getVersion(), model.getState(),
            model.getReason()))
        .toList();
  }

  /// Loads a model and waits until it is ready, for a model that takes long with a deadline to fit. Of a model that
  /// is loaded and has not changed nothing is done.
  ///
  /// @throws TritonException.LoadFailed if it cannot be loaded
  public void load(String model, CallSettings settings) {
    load(RepositoryModelLoadRequest.newBuilder().setModelName(model), settings);
  }

  /// Loads a model with another configuration than that of the repository, as JSON text.
  ///
  /// @throws TritonException.LoadFailed if it cannot be loaded
  public void load(String model, String configuration, CallSettings settings) {
    load(RepositoryModelLoadRequest.newBuilder().setModelName(model).putParameters("config",
        ModelRepositoryParameter.newBuilder().setStringParam(configuration).build()), settings);
  }

  private void load(RepositoryModelLoadRequest.Builder request, CallSettings settings) {
    call(request.getModelName(), GRPCInferenceServiceGrpc.getRepositoryModelLoadMethod(), request.build(),
        settings);
  }

  /// Unloads a model; one that is not loaded stays so. Requests under way are finished, afterwards: the call does not wait
  /// for them. That of a model whose process has died does not end before the server does; it can be loaded meanwhile.
  public void unload(String model, CallSettings settings) {
    var request = RepositoryModelUnloadRequest.newBuilder().setModelName(model).build();
    call(model, GRPCInferenceServiceGrpc.getRepositoryModelUnloadMethod(), request, settings);
  }

  /// Asks a model that answers once, with the default deadline.
  public InferResponse infer(InferRequest request) {
    return infer(request, CallSettings.defaults());
  }

  /// Asks a model that answers once.
  ///
  /// @throws TritonException.WrongInput if the request does not fit the model, or the model answers on streams alone
  /// @throws TritonException.ModelError if the model refuses or fails
  /// @throws TritonException as its other types say
  public InferResponse infer(InferRequest request, CallSettings settings) {
    return ResponseReader
        .read(call(request.model(), GRPCInferenceServiceGrpc.getModelInferMethod(), write(request),
            settings), request.outputs());
  }

  /// Opens a stream. It has no deadline unless the settings say one, which then is for the whole stream.
  public TritonStream stream(CallSettings settings) {
    var options = settings.deadline().map(TritonClient::options).orElse(CallOptions.DEFAULT);
    return new TritonStream(ClientCalls.blockingBidiStreamingCall(with(settings),
        GRPCInferenceServiceGrpc.getModelStreamInferMethod(), options), this::write);
  }

  /// Creates shared memory and registers it.
  ///
  /// @param name 1 to 200 letters, digits, `_`, `-` and `.`; the file is `/dev/shm/NAME`
  /// @param byteSize at least 1
  /// @throws TritonException.SharedMemory if the server knows the name already, or cannot open the file
  /// @throws UncheckedIOException if the file exists, or there is no room for it
  public SharedMemoryRegion createRegion(String name, long byteSize) {
    return SharedMemoryRegion.create(this, name, byteSize);
  }

  /// The shared memory regions that the server knows, whoever registered them.
  public List<RegionStatus> regions() {
    return call("", GRPCInferenceServiceGrpc.getSystemSharedMemoryStatusMethod(),
        SystemSharedMemoryStatusRequest.getDefaultInstance(), CallSettings.defaults()).getRegionsMap()
        .values().stream()
        .map(region -> new RegionStatus(region.getName(), region.getKey(), region.getOffset(),
            region.getByteSize()))
        .toList();
  }

  void registerRegion(RegionStatus region) {
    call("", GRPCInferenceServiceGrpc.getSystemSharedMemoryRegisterMethod(),
        SystemSharedMemoryRegisterRequest.newBuilder().setName(region.name()).setKey(region.key())
            .setOffset(region.offset()).setByteSize(region.byteSize()).build(),
        CallSettings.defaults());
  }

  void unregisterRegion(String name) {
    call("", GRPCInferenceServiceGrpc.getSystemSharedMemoryUnregisterMethod(),
        SystemSharedMemoryUnregisterRequest.newBuilder().setName(name).build(), CallSettings.defaults());
  }

  /// Closes the connection. Calls and streams under way fail.
  @Override
  public void close() {
    connection.shutdownNow();
  }

  private ModelInferRequest write(InferRequest request) {
    var message = RequestWriter.write(request);
    if (message.getSerializedSize() < 0 || message.getSerializedSize() > config.outboundBytesMax()) {
      throw new TooLarge("request: %d bytes (expected: at most %d, TritonConfig.outboundBytesMax)".formatted(
          message.getSerializedSize(), config.outboundBytesMax()), "", null);
    }
    return message;
  }

  private <Q extends MessageLite, R> R call(String model, MethodDescriptor<Q, R> method, Q request,
      CallSettings settings) {
    try {
      return ClientCalls.blockingUnaryCall(with(settings), method,
          options(settings.deadline().orElse(config.deadline())), request);
    } catch (StatusRuntimeException e) {
      throw Failures.of(model, e.getStatus(), e.getTrailers(), e);
    }
  }

  private Channel with(CallSettings settings) {
    var headers = new Metadata();
    put(headers, config.headers());
    put(headers, settings.headers());
    return headers.keys().isEmpty()
        ? channel
        : ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static void put(Metadata headers, Map<String, String> values) {
    values.forEach((name, value) -> {
      var key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
      headers.discardAll(key);
      headers.put(key, value);
    });
  }

  private static CallOptions options(Duration deadline) {
    return CallOptions.DEFAULT.withDeadlineAfter(deadline);
  }

  private static ChannelCredentials credentials(Transport transport) {
    return switch (transport) {
      case Transport.Plaintext _ -> InsecureChannelCredentials.create();
      case Transport.Tls tls -> {
        try {
          var credentials = TlsChannelCredentials.newBuilder();
          if (tls.roots().isPresent()) {
            credentials.trustManager(tls.roots().get().toFile());
          }
          if (tls.identity().isPresent()) {
            File certificates = tls.identity().get().certificates().toFile();
            credentials.keyManager(certificates, tls.identity().get().key().toFile());
          }
          yield credentials.build();
        } catch (IOException e) {
          throw new UncheckedIOException("transport: cannot read %s (expected: PEM files)".formatted(tls), e);
        }
      }
    };
  }

  private static List<ModelMetadata.Tensor> tensors(
      List<io.lladav.triton.wire.ModelMetadataResponse.TensorMetadata> messages) {
    return messages.stream().map(tensor -> new ModelMetadata.Tensor(tensor.getName(),
        ResponseReader.type(tensor.getName(), tensor.getDatatype()), List.copyOf(tensor.getShapeList())))
        .toList();
  }

  private static ModelStatistics statistics(io.lladav.triton.wire.ModelStatistics message) {
    var totals = message.getInferenceStats();
    return new ModelStatistics(message.getName(), message.getVersion(), message.getInferenceCount(),
        message.getExecutionCount(), total(totals.getSuccess()), total(totals.getFail()),
        total(totals.getQueue()),
        total(totals.getComputeInput()), total(totals.getComputeInfer()), total(totals.getComputeOutput()));
  }

  private static ModelStatistics.Total total(StatisticDuration message) {
    return new ModelStatistics.Total(message.getCount(), Duration.ofNanos(message.getNs()));
  }
}
