package io.lladav.runtime;

import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;

/// A channel of no particular client to a process on this machine.
record TestingChannel(ManagedChannel channel) implements AutoCloseable {
  static TestingChannel plain(ServiceProcess process) {
    return new TestingChannel(
        NettyChannelBuilder.forAddress("127.0.0.1", process.port()).usePlaintext().build());
  }

  /// A channel as our own services open it.
  static TestingChannel own(ServiceProcess process) {
    return new TestingChannel(Channels.open("127.0.0.1:" + process.port(), GrpcClientConfig.defaults()));
  }

  Channel with(ClientInterceptor interceptor) {
    return ClientInterceptors.intercept(channel, interceptor);
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
