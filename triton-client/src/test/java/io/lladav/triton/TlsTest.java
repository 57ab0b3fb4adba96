package io.lladav.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.lladav.triton.Transport.Tls;
import io.lladav.triton.TritonException.Unreachable;
import io.lladav.triton.testing.LocalTriton;
import io.lladav.triton.testing.TritonTest;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A real server behind TLS.
@TritonTest
@Timeout(180)
final class TlsTest {
  @Test
  void trustsTheServersRootAlone(@TempDir Path directory, @TempDir Path otherDirectory) {
    var certificates = new Certificates(directory);
    try (
        var triton = TestModels.serving().with("--grpc-use-ssl=true")
            .with(flags(certificates.signed("server")))
            .start();
        var client = client(triton, Tls.defaults().withRoots(certificates.root()));
        var suspicious = client(triton, Tls.defaults().withRoots(new Certificates(otherDirectory).root()));
        var elsewhere = client(triton,
            Tls.defaults().withRoots(certificates.root()).withServerName("example.org"));
        var named = client(triton, Tls.defaults().withRoots(certificates.root()).withServerName("localhost"));
        var plain = TestModels.client(triton)) {
      assertThat(client.isReady()).isTrue();
      assertThat(named.isReady()).isTrue();
      var refused = catchThrowableOfType(Unreachable.class, suspicious::isReady);
      assertThat(refused.repeat()).isEqualTo(Repeat.ELSEWHERE);
      assertThat(refused)
          .hasMessage("the server's or the client's certificate was refused, or there is no TLS");
      assertThatExceptionOfType(Unreachable.class).isThrownBy(elsewhere::isReady);
      assertThatExceptionOfType(Unreachable.class).isThrownBy(plain::isReady);
    }
  }

  @Test
  void showsItsOwnCertificate(@TempDir Path directory) {
    var certificates = new Certificates(directory);
    var identity = certificates.signed("client");
    try (var triton = TestModels.serving().with("--grpc-use-ssl-mutual=true")
        .with("--grpc-root-cert=" + certificates.root()).with(flags(certificates.signed("server"))).start();
        var client = client(triton, Tls.defaults().withRoots(certificates.root())
            .withIdentity(identity.certificates(), identity.key()));
        var stranger = client(triton, Tls.defaults().withRoots(certificates.root()))) {
      assertThat(client.isReady()).isTrue();
      assertThatExceptionOfType(Unreachable.class).isThrownBy(stranger::isReady);
    }
  }

  @Test
  void namesFilesThatCannotBeRead(@TempDir Path directory) {
    var missing = directory.resolve("missing.pem");

    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> TritonClient
            .open(TritonConfig.of("localhost:1").withTransport(Tls.defaults().withRoots(missing))))
        .withMessageContaining("missing.pem").withMessageContaining("PEM");
  }

  private static String[] flags(Transport.Identity server) {
    return new String[]{"--grpc-server-cert=" + server.certificates(), "--grpc-server-key=" + server.key()};
  }

  private static TritonClient client(LocalTriton triton, Tls tls) {
    return TritonClient.open(TritonConfig.of(triton.target()).withTransport(tls));
  }
}
