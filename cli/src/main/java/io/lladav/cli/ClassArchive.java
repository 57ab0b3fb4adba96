package io.lladav.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/// The loaded classes of one service, kept between runs (class data sharing) so that it starts in half the
/// time.
///
/// The first orderly stop of the service writes them to a file of its own name; the parent then moves it to
/// its place at once, so that processes that start meanwhile see all of it or nothing.
final class ClassArchive {
  private final Path file;
  private final Path fresh;

  private ClassArchive(Path file) {
    this.file = file;
    this.fresh = file
        .resolveSibling(file.getFileName() + "." + ProcessHandle.current().pid() + "-" + System.nanoTime());
  }

  /// The archive of a service for this JVM and class path; none if classes do not all come from jars, or the
  /// folder beside them cannot be written.
  static Optional<ClassArchive> of(Service service) {
    var jars = Arrays.stream(classPath().split(File.pathSeparator)).map(Path::of).toList();
    if (!jars.stream().allMatch(jar -> jar.toString().endsWith(".jar") && Files.isRegularFile(jar))) {
      return Optional.empty();
    }
    var folder = jars.getFirst().resolveSibling("../classes").normalize();
    try {
      Files.createDirectories(folder);
    } catch (IOException _) {
      return Optional.empty();
    }
    var name = service.label() + "-" + fingerprint(jars) + ".jsa";
    return Files.isWritable(folder) ? Optional.of(new ClassArchive(folder.resolve(name))) : Optional.empty();
  }

  /// The class path of this process and of every child.
  static String classPath() {
    return System.getProperty("java.class.path");
  }

  /// The flags that use the archive, or write it if it is not there.
  List<String> flags() {
    var use = Files.exists(file) ? "-XX:SharedArchiveFile=" + file : "-XX:ArchiveClassesAtExit=" + fresh;
    /* The JVM would complain into the service's log where it cannot use the archive, and do without. */
    return List.of(use, "-Xlog:disable");
  }

  /// Puts what the stopped process wrote, if it did, into its place.
  void keep() {
    try {
      if (Files.exists(fresh)) {
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Removes what a killed process may have left half written.
  void discard() {
    try {
      Files.deleteIfExists(fresh);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String fingerprint(List<Path> jars) {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(System.getProperty("java.vm.version").getBytes(StandardCharsets.UTF_8));
      for (var jar : jars) {
        var line = jar + " " + Files.size(jar) + " " + Files.getLastModifiedTime(jar) + "\n";
        sha256.update(line.getBytes(StandardCharsets.UTF_8));
      }
      return HexFormat.of().formatHex(sha256.digest(), 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
