package io.lladav.triton;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A root and certificates that it signed, as PEM files made by the JDK's own keytool.
final class Certificates {
  private static final String PASSWORD = "only-for-this-test";
  private final Path directory;

  /// Makes a root in an empty directory.
  Certificates(Path directory) {
    this.directory = directory;
    keytool("root", "-genkeypair", "-dname", "CN=root", "-ext", "bc:c");
    write("root.pem", pem("CERTIFICATE", encoded(certificate("root"))));
  }

  /// The root's certificate.
  Path root() {
    return directory.resolve("root.pem");
  }

  /// A certificate for `localhost` and 127.0.0.1, signed by the root, and its key.
  Transport.Identity signed(String name) {
    keytool(name, "-genkeypair", "-dname", "CN=" + name);
    keytool(name, "-certreq", "-file", directory.resolve(name + ".csr").toString());
    keytool("root", "-gencert", "-infile", directory.resolve(name + ".csr").toString(), "-outfile",
        directory.resolve(name + ".pem").toString(), "-rfc", "-ext", "san=dns:localhost,ip:127.0.0.1");
    try {
      var key = store(name).getKey(name, PASSWORD.toCharArray());
      write(name + ".key", pem("PRIVATE KEY", key.getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
    return new Transport.Identity(directory.resolve(name + ".pem"), directory.resolve(name + ".key"));
  }

  private void keytool(String alias, String... arguments) {
    var command = new ArrayList<>(
        List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
    command.addAll(List.of(arguments));
    command.addAll(
        List.of("-alias", alias, "-keystore", directory.resolve(alias + ".p12").toString(), "-storepass",
            PASSWORD));
    if (List.of(arguments).contains("-genkeypair")) {
      command.addAll(List.of("-keyalg", "RSA", "-keysize", "2048", "-validity", "2"));
    }
    try {
      var process = new ProcessBuilder(command).redirectErrorStream(true)
          .redirectOutput(directory.resolve("keytool.log").toFile()).start();
      if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError("keytool: " + Files.readString(directory.resolve("keytool.log")));
      }
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private KeyStore store(String alias) {
    try {
      return KeyStore.getInstance(directory.resolve(alias + ".p12").toFile(), PASSWORD.toCharArray());
    } catch (GeneralSecurityException | IOException e) {
      throw new AssertionError(e);
    }
  }

  private Certificate certificate(String alias) {
    try {
      return store(alias).getCertificate(alias);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] encoded(Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static String pem(String what, byte[] content) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(what,
        Base64.getMimeEncoder(64, new byte[]{'\n'}).encodeToString(content), what);
  }

  private void write(String name, String text) {
    try {
      Files.writeString(directory.resolve(name), text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
