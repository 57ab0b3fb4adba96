package io.lladav.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.util.Optional;

/// Lines of a file or pipe.
final class PlainLines implements LineSource {
  private final BufferedReader lines;

  PlainLines(InputStream in) {
    lines = new BufferedReader(new InputStreamReader(in, UTF_8));
  }

  @Override
  public Optional<String> next() throws IOException {
    return Optional.ofNullable(lines.readLine());
  }

  @Override
  public Interruption onInterrupt(Runnable action) {
    return () -> {};
  }

  @Override
  public void close() {}
}
