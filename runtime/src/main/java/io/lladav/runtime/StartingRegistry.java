package io.lladav.runtime;

import io.grpc.BindableService;
import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The services of a process that listens before it is able to answer: until [#open], every call fails with
/// UNAVAILABLE and the advice to try again.
final class StartingRegistry extends HandlerRegistry {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Map<String, ServerServiceDefinition> services = new ConcurrentHashMap<>();
  private final ServerMethodDefinition<InputStream, InputStream> starting;
  private volatile boolean open;

  StartingRegistry(String service) {
    starting = refusal(service + ": starting, not ready to answer yet");
  }

  void add(BindableService service) {
    var definition = service.bindService();
    services.put(definition.getServiceDescriptor().getName(), definition);
  }

  void open() {
    open = true;
  }

  @Override
  public List<ServerServiceDefinition> getServices() { return List.copyOf(services.values()); }

  @Override
  public @Nullable ServerMethodDefinition<?, ?> lookupMethod(String methodName, @Nullable String authority) {
    if (!open) {
      return starting;
    }
    var name = MethodDescriptor.extractFullServiceName(methodName);
    var service = name == null ? null : services.get(name);
    return service == null ? null : service.getMethod(methodName);
  }

  private static ServerMethodDefinition<InputStream, InputStream> refusal(String message) {
    // One name for whatever was asked, so that unknown names do not become metric labels.
    var method = MethodDescriptor.<InputStream, InputStream>newBuilder(new Undecoded(), new Undecoded())
        .setType(MethodDescriptor.MethodType.UNKNOWN)
        .setFullMethodName("lladav.starting/Any")
        .build();
    return ServerMethodDefinition.create(method, (call, _) -> {
      ErrorMapping.close(call, new ServiceException.Unavailable(RETRY_AFTER, message));
      return new ServerCall.Listener<>() {
      };
    });
  }

  private static final class Undecoded implements MethodDescriptor.Marshaller<InputStream> {
    @Override
    public InputStream stream(InputStream value) {
      return value;
    }

    @Override
    public InputStream parse(InputStream stream) {
      return new ByteArrayInputStream(new byte[0]);
    }
  }
}
