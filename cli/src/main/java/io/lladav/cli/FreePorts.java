package io.lladav.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/// Finds TCP ports of this machine that nobody listens on.
final class FreePorts {
  /* Below the range from which systems take the ports of outgoing connections: those would get there first. */
  private static final int FIRST = 15_000;
  private static final int END = 32_000;
  private static final int TRIES_MAX = 2_000;
  /* Whoever was given one takes seconds to listen there; a second cluster of this process must not be given it too. */
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private FreePorts() {}

  /// Returns different ports, free a moment ago, each once in the life of this process. All are held until the last is
  /// found.
  static List<Integer> find(int count) {
    var held = new ArrayList<ServerSocket>();
    try {
      for (int tries = 0; held.size() < count && tries < TRIES_MAX; tries++) {
        int port = ThreadLocalRandom.current().nextInt(FIRST, END);
        if (GIVEN.add(port)) {
          hold(port, held);
        }
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
