package io.lladav.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// Finds TCP ports of this machine that nobody listens on.
final class FreePorts {
  /* Below the range from which systems take the ports of outgoing connections: those would get there first. */
  private static final int FIRST = 15_000;
  private static final int END = 32_000;
  private static final int TRIES_MAX = 2_000;

  private FreePorts() {}

  /// Returns different ports, free a moment ago. All are held until the last is found.
  static List<Integer> find(int count) {
    var held = new ArrayList<ServerSocket>();
    try {
      for (int tries = 0; held.size() < count && tries < TRIES_MAX; tries++) {
        hold(ThreadLocalRandom.current().nextInt(FIRST, END), held);
      }
      if (held.size() < count) {
        throw new ClusterException("no free TCP ports between %d and %d".formatted(FIRST, END));
      }
      return held.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      held.forEach(FreePorts::release);
    }
  }

  private static void hold(int port, List<ServerSocket> held) {
    try {
      held.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
    } catch (IOException _) {
      // Taken: the next try takes another one.
    }
  }

  private static void release(ServerSocket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
