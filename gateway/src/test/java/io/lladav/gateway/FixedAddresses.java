package io.lladav.gateway;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.stream.Stream;

/// Resolves targets such as `ports:///7401,7402` to those ports of the loopback address.
final class FixedAddresses extends NameResolverProvider {
  private static final String SCHEME = "ports";

  /// A target of several ports.
  static String target(int... ports) {
    return SCHEME + ":///"
        + String.join(",", java.util.stream.IntStream.of(ports).mapToObj(String::valueOf).toList());
  }

  /// Makes the scheme known to channels opened from now on.
  static void register() {
    NameResolverRegistry.getDefaultRegistry().register(new FixedAddresses());
  }

  @Override
  protected boolean isAvailable() { return true; }

  @Override
  protected int priority() {
    return 5;
  }

  @Override
  public String getDefaultScheme() { return SCHEME; }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args args) {
    var addresses = Stream.of(target.getPath().substring(1).split(",", -1))
        .map(port -> new EquivalentAddressGroup(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port))))
        .toList();
    return new Resolved(addresses);
  }

  private static final class Resolved extends NameResolver {
    private final List<EquivalentAddressGroup> addresses;

    Resolved(List<EquivalentAddressGroup> addresses) {
      this.addresses = addresses;
    }

    @Override
    public String getServiceAuthority() { return "loopback"; }

    @Override
    public void start(Listener2 listener) {
      listener.onResult(
          ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(addresses)).build());
    }

    @Override
    public void shutdown() {
      // Nothing is held.
    }
  }
}
