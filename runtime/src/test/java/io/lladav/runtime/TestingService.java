package io.lladav.runtime;

import com.google.protobuf.StringValue;
import io.grpc.BindableService;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import java.time.Duration;

/// A service with one unary method whose answer the test chooses.
record TestingService(Answer answer) implements BindableService {
  static final MethodDescriptor<StringValue, StringValue> METHOD = MethodDescriptor
      .<StringValue, StringValue>newBuilder(ProtoUtils.marshaller(StringValue.getDefaultInstance()),
          ProtoUtils.marshaller(StringValue.getDefaultInstance()))
      .setType(MethodDescriptor.MethodType.UNARY)
      .setFullMethodName("lladav.testing.Testing/Answer")
      .build();

  /// How a text is answered.
  @FunctionalInterface
  interface Answer {
    String to(String text) throws Exception;
  }

  @Override
  public ServerServiceDefinition bindService() {
    return ServerServiceDefinition.builder("lladav.testing.Testing")
        .addMethod(METHOD, ServerCalls.asyncUnaryCall((request, responses) -> Handlers.run(responses, () -> {
          responses.onNext(StringValue.of(answer.to(request.getValue())));
          responses.onCompleted();
        })))
        .build();
  }

  /// Starts a process on any free port of the loopback address, not yet serving.
  static ServiceProcess start() {
    return ServiceProcess.start("testing", limits(Duration.ofSeconds(5)), metrics());
  }

  /// Starts a process that serves the answer.
  static ServiceProcess serve(Answer answer) {
    var process = start();
    process.add(new TestingService(answer));
    process.markServing();
    return process;
  }

  static GrpcServerConfig limits(Duration drainTime) {
    return new GrpcServerConfig("127.0.0.1", 0, 64 * 1024, 16, 8192, Duration.ofSeconds(30),
        Duration.ofSeconds(10), Duration.ofSeconds(5), drainTime);
  }

  static MetricsConfig metrics() {
    return new MetricsConfig(true, "127.0.0.1", 0);
  }

  /// Asks over the channel and waits for the answer.
  static String ask(Channel channel, String text) {
    return ClientCalls
        .blockingUnaryCall(channel, METHOD, CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(60)),
            StringValue.of(text))
        .getValue();
  }
}
