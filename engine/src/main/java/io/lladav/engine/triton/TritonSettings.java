package io.lladav.engine.triton;

import io.lladav.triton.Transport;
import io.lladav.triton.TritonConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// How a service uses its Triton Inference Server.
///
/// @param target where it answers gRPC, as host and port
/// @param callTimeout how long one request may take, a whole step of a long canvas included
/// @param loadTimeout how long loading a model may take
/// @param messageBytesMax largest message sent or taken, in bytes; embeddings are cut to fit
/// @param sharedMemory whether large tensors go through `/dev/shm` instead of through messages: both processes must see
///     the same one, and the server must allow it
/// @param probeInterval how often a tiny inference is tried
/// @param probeTimeout how long it may take
/// @param repairsMax how often within `repairWindow` a model whose process has died is unloaded and loaded again, before
///     that is left to a person; 0 for never
/// @param repairWindow see `repairsMax`
/// @param tls whether the connection is encrypted
/// @param tlsRoots PEM file of the authorities to trust; empty for those of the system
/// @param tlsCertificates PEM file of the certificates to show; empty for none
/// @param tlsKey PEM file of their private key
public record TritonSettings(String target, Duration callTimeout, Duration loadTimeout, int messageBytesMax,
    boolean sharedMemory, Duration probeInterval, Duration probeTimeout, int repairsMax,
    Duration repairWindow,
    boolean tls, Path tlsRoots, Path tlsCertificates, Path tlsKey) {
  private static final Path NONE = Path.of("");

  /// Checks the values.
  ///
  /// @throws IllegalArgumentException naming the first value out of range
  public TritonSettings {
    require(!target.isBlank(), "target", target, "for example 127.0.0.1:8001");
    requirePositive("call-timeout", callTimeout);
    requirePositive("load-timeout", loadTimeout);
    require(messageBytesMax >= 1 << 20, "message-bytes-max", messageBytesMax, (1 << 20) + "..2147483647");
    requirePositive("probe-interval", probeInterval);
    requirePositive("probe-timeout", probeTimeout);
    require(repairsMax >= 0, "repairs-max", repairsMax, "0..");
    requirePositive("repair-window", repairWindow);
    require(tls || (isNone(tlsRoots) && isNone(tlsCertificates)), "tls", false,
        "true, since files for it are named");
    require(isNone(tlsCertificates) == isNone(tlsKey), "tls-key", tlsKey,
        "set if and only if tls-certificates is");
  }

  /// The values of what nobody sets: the server's usual port on this machine, two minutes per request, ten to load a
  /// model, messages of 64 MiB, a probe every five seconds that may take ten, three repairs in ten minutes, plain text.
  public static TritonSettings defaults() {
    return new TritonSettings("127.0.0.1:8001", Duration.ofMinutes(2), Duration.ofMinutes(10), 64 << 20,
        false,
        Duration.ofSeconds(5), Duration.ofSeconds(10), 3, Duration.ofMinutes(10), false, NONE, NONE, NONE);
  }

  /// Returns how its client is set up.
  TritonConfig client() {
    return TritonConfig.of(target).withTransport(transport()).withDeadline(callTimeout)
        .withMessageBytesMax(messageBytesMax, messageBytesMax);
  }

  private Transport transport() {
    if (!tls) {
      return new Transport.Plaintext();
    }
    Optional<Transport.Identity> identity = isNone(tlsCertificates)
        ? Optional.empty()
        : Optional.of(new Transport.Identity(tlsCertificates, tlsKey));
    return new Transport.Tls(isNone(tlsRoots) ? Optional.empty() : Optional.of(tlsRoots), identity,
        Optional.empty());
  }

  private static boolean isNone(Path path) {
    return path.toString().isEmpty();
  }

  private static void requirePositive(String key, Duration value) {
    require(value.isPositive(), key, value, "above 0s");
  }

  private static void require(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException("%s: %s (expected: %s)".formatted(key, value, expected));
    }
  }
}
