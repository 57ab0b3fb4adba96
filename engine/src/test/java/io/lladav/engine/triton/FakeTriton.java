package io.lladav.engine.triton;

import com.google.protobuf.ByteString;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.triton.wire.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import io.lladav.triton.wire.ModelInferRequest;
import io.lladav.triton.wire.ModelInferResponse;
import io.lladav.triton.wire.ModelReadyRequest;
import io.lladav.triton.wire.ModelReadyResponse;
import io.lladav.triton.wire.ModelStreamInferResponse;
import io.lladav.triton.wire.RepositoryModelLoadRequest;
import io.lladav.triton.wire.RepositoryModelLoadResponse;
import io.lladav.triton.wire.RepositoryModelUnloadRequest;
import io.lladav.triton.wire.RepositoryModelUnloadResponse;
import io.lladav.triton.wire.SystemSharedMemoryRegisterRequest;
import io.lladav.triton.wire.SystemSharedMemoryRegisterResponse;
import io.lladav.triton.wire.SystemSharedMemoryUnregisterRequest;
import io.lladav.triton.wire.SystemSharedMemoryUnregisterResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// A server on the loopback address that plays the three models of a checkpoint: their tensors hold zeros. Keeps what it
/// was asked, and says of its models what a test says.
final class FakeTriton extends GRPCInferenceServiceImplBase implements AutoCloseable {
  private static final Context.Key<Map<String, String>> HEADERS = Context.key("headers");

  /// What was asked of models, in the order in which it came.
  final List<Asked> asked = new CopyOnWriteArrayList<>();
  /// How often a model was unloaded, and was to be loaded.
  final AtomicInteger unloads = new AtomicInteger();
  final AtomicInteger loads = new AtomicInteger();
  /// How many of the next loads fail.
  final AtomicInteger failingLoads = new AtomicInteger();
  /// Shared memory that it was told of, and told to forget.
  final List<String> registered = new CopyOnWriteArrayList<>();
  final List<String> unregistered = new CopyOnWriteArrayList<>();
  /// Whether it answers requests for tensors.
  volatile boolean answers = true;
  volatile State state = State.LOADED;
  volatile String precision = "fp32";

  private final Server server;
  private final Checkpoint checkpoint;
  private final int vocabularySize;

  /// How its models are.
  enum State {
    LOADED, DEAD, UNLOADED
  }

  /// A request to a model.
  record Asked(String model, String id, Map<String, String> headers) {}

  FakeTriton(Checkpoint checkpoint, int vocabularySize) {
    this.checkpoint = checkpoint;
    this.vocabularySize = vocabularySize;
    try {
      server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
          .addService(this).intercept(new HeaderKeeper()).build().start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String target() {
    return "127.0.0.1:" + server.getPort();
  }

  /// The defaults, with a server, and a probe every 5 ms.
  static TritonSettings settings(String target) {
    var d = TritonSettings.defaults();
    return new TritonSettings(target, d.callTimeout(), d.loadTimeout(), d.messageBytesMax(), false,
        Duration.ofMillis(5), d.probeTimeout(), d.repairsMax(), d.repairWindow(), false, d.tlsRoots(),
        d.tlsCertificates(), d.tlsKey());
  }

  @Override
  public void modelReady(ModelReadyRequest request, StreamObserver<ModelReadyResponse> responses) {
    answer(responses, ModelReadyResponse.newBuilder().setReady(state != State.UNLOADED).build());
  }

  @Override
  public void repositoryModelUnload(RepositoryModelUnloadRequest request,
      StreamObserver<RepositoryModelUnloadResponse> responses) {
    unloads.incrementAndGet();
    state = State.UNLOADED;
    answer(responses, RepositoryModelUnloadResponse.getDefaultInstance());
  }

  @Override
  public void repositoryModelLoad(RepositoryModelLoadRequest request,
      StreamObserver<RepositoryModelLoadResponse> responses) {
    loads.incrementAndGet();
    if (failingLoads.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
      responses.onError(Status.INTERNAL
          .withDescription("failed to load '%s', no memory left".formatted(request.getModelName()))
          .asException());
      return;
    }
    state = State.LOADED;
    answer(responses, RepositoryModelLoadResponse.getDefaultInstance());
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> responses) {
    keep(request, HEADERS.get());
    if (!answers) {
      return;
    }
    if (state == State.LOADED) {
      answer(responses, response(request));
    } else {
      responses.onError((state == State.DEAD ? Status.INTERNAL : Status.NOT_FOUND)
          .withDescription(away(request.getModelName())).asException());
    }
  }

  @Override
  public void systemSharedMemoryRegister(SystemSharedMemoryRegisterRequest request,
      StreamObserver<SystemSharedMemoryRegisterResponse> responses) {
    registered.add(request.getName());
    answer(responses, SystemSharedMemoryRegisterResponse.getDefaultInstance());
  }

  @Override
  public void systemSharedMemoryUnregister(SystemSharedMemoryUnregisterRequest request,
      StreamObserver<SystemSharedMemoryUnregisterResponse> responses) {
    unregistered.add(request.getName());
    answer(responses, SystemSharedMemoryUnregisterResponse.getDefaultInstance());
  }

  @Override
  public StreamObserver<ModelInferRequest> modelStreamInfer(
      StreamObserver<ModelStreamInferResponse> responses) {
    var headers = HEADERS.get();
    return new StreamObserver<>() {
      @Override
      public void onNext(ModelInferRequest request) {
        keep(request, headers);
        var answer = ModelStreamInferResponse.newBuilder();
        if (state == State.LOADED) {
          answer.setInferResponse(response(request));
        } else {
          answer.setErrorMessage("[request id: %s] %s".formatted(request.getId(),
              away(request.getModelName())));
          answer.getInferResponseBuilder().setId(request.getId());
        }
        responses.onNext(answer.build());
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
  public void close() {
    server.shutdownNow();
  }

  private void keep(ModelInferRequest request, Map<String, String> headers) {
    asked.add(new Asked(request.getModelName(), request.getId(), headers));
  }

  private String away(String model) {
    return state == State.DEAD
        ? "Stub process '%s_0_0' is not healthy.".formatted(model)
        : "Request for unknown model: '%s' has no available versions".formatted(model);
  }

  private ModelInferResponse response(ModelInferRequest request) {
    var response = ModelInferResponse.newBuilder().setModelName(request.getModelName())
        .setModelVersion("1").setId(request.getId());
    if (request.getModelName().equals(LladaModel.NAME)) {
      answerOperation(request, response);
    } else {
      for (var output : request.getOutputsList()) {
        addOutput(request, output.getName(), response);
        if (output.containsParameters("shared_memory_region")) {
          response.setRawOutputContents(response.getRawOutputContentsCount() - 1, ByteString.EMPTY);
        }
      }
    }
    return response.build();
  }

  private void answerOperation(ModelInferRequest request, ModelInferResponse.Builder response) {
    var operation = request.getRawInputContents(0).substring(4).toStringUtf8();
    switch (operation) {
      case "describe" -> add(response, "IDENTITY", "BYTES", identity(), 1);
      case "step" -> {
        var positions = request.getInputsList().stream().filter(i -> i.getName().equals("POSITIONS"))
            .findFirst().orElseThrow().getShape(0);
        add(response, "CANDIDATES", "INT32", zeros(positions), positions);
        add(response, "CONFIDENCES", "FP32", zeros(positions), positions);
        add(response, "CERTAINTIES", "FP32", zeros(positions), positions);
      }
      default -> {
        // Done, and nothing to say.
      }
    }
  }

  private void addOutput(ModelInferRequest request, String name, ModelInferResponse.Builder response) {
    long tiles = request.getInputs(0).getShape(0);
    long rows = request.getInputs(0).getShape(1);
    switch (name) {
      case "IDENTITY" -> add(response, name, "BYTES", identity(), tiles, 1);
      case "FEATURES" -> addZeros(response, name, tiles, checkpoint.vision().patchCount(),
          checkpoint.vision().width());
      case "EMBEDDINGS" -> addZeros(response, name, tiles, rows, checkpoint.language().hiddenSize());
      case "IMAGE_NEWLINE" -> addZeros(response, name, tiles, checkpoint.language().hiddenSize());
      default -> throw new IllegalArgumentException(name);
    }
  }

  private static void addZeros(ModelInferResponse.Builder response, String name, long... shape) {
    long count = 1;
    for (long size : shape) {
      count *= size;
    }
    add(response, name, "FP32", zeros(count), shape);
  }

  private static void add(ModelInferResponse.Builder response, String name, String type, ByteString bytes,
      long... shape) {
    var output = response.addOutputsBuilder().setName(name).setDatatype(type);
    for (long size : shape) {
      output.addShape(size);
    }
    response.addRawOutputContents(bytes);
  }

  private static ByteString zeros(long count) {
    return ByteString.copyFrom(new byte[Math.toIntExact(4 * count)]);
  }

  private ByteString identity() {
    var json = """
        {"checkpoint": "%s", "precision": "%s", "numerics": "1", "device": "cpu", "imageSize": %d, "patches": %d,
         "width": %d, "inputWidth": %d, "outputWidth": %d, "hiddenSize": %d, "vocabularySize": %d}
        """
        .formatted(checkpoint.digest(), precision, checkpoint.vision().imageSize(),
            checkpoint.vision().patchCount(), checkpoint.vision().width(), checkpoint.vision().width(),
            checkpoint.language().hiddenSize(), checkpoint.language().hiddenSize(), vocabularySize)
        .getBytes(StandardCharsets.UTF_8);
    return ByteString.copyFrom(ByteBuffer.allocate(4 + json.length).order(ByteOrder.LITTLE_ENDIAN)
        .putInt(json.length).put(json).flip());
  }

  private static <T> void answer(StreamObserver<T> responses, T response) {
    responses.onNext(response);
    responses.onCompleted();
  }

  private static final class HeaderKeeper implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata metadata,
        ServerCallHandler<Q, R> next) {
      var headers = new TreeMap<String, String>();
      for (var name : metadata.keys()) {
        headers.put(name, metadata.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER)));
      }
      return Contexts.interceptCall(Context.current().withValue(HEADERS, headers), call, metadata, next);
    }
  }
}
