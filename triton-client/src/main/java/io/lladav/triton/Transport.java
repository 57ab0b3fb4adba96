package io.lladav.triton;

import java.nio.file.Path;
import java.util.Optional;

/// How a connection is protected.
public sealed interface Transport {
  /// Plain text: for servers on the same machine or in a network that is trusted.
  record Plaintext() implements Transport {}

  /// TLS 1.2 or later.
  ///
  /// @param roots PEM file of the certificates that may sign the server's; empty: those of the Java runtime
  /// @param identity what the client shows of itself, for mutual TLS
  /// @param serverName the name that the server's certificate must hold; empty: the host of the target
  record Tls(Optional<Path> roots, Optional<Identity> identity, Optional<String> serverName)
      implements
        Transport {
    /// TLS with the certificates of the Java runtime.
    public static Tls defaults() {
      return new Tls(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// The same, with servers signed by the certificates in a PEM file.
    public Tls withRoots(Path file) {
      return new Tls(Optional.of(file), identity, serverName);
    }

    /// The same, with a certificate of the client.
    public Tls withIdentity(Path certificates, Path key) {
      return new Tls(roots, Optional.of(new Identity(certificates, key)), serverName);
    }

    /// The same, with another name in the server's certificate than the target's host.
    public Tls withServerName(String name) {
      return new Tls(roots, identity, Optional.of(name));
    }
  }

  /// A certificate and its key.
  ///
  /// @param certificates PEM file of the certificate, followed by those between it and a root
  /// @param key PEM file of its private key in PKCS #8, without a passphrase
  record Identity(Path certificates, Path key) {}
}
