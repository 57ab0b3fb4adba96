package io.lladav.triton;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.regex.Pattern;

/// Memory that this process and a server on the same machine both see: a file in `/dev/shm`, mapped here and registered
/// there. Tensors that lie in it do not travel.
///
/// Opt-in: it needs Linux, a server that sees the same `/dev/shm` and may open a file of this process's user, and with
/// releases since April 2026 the flag `--allow-client-shm=true`. Nothing keeps this process from writing while the server
/// reads: a slice belongs to one request until that is answered.
public final class SharedMemoryRegion implements AutoCloseable {
  private static final Path DIRECTORY = Path.of("/dev/shm");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}");
  private static final int ZEROS = 1 << 20;

  private final TritonClient client;
  private final String name;
  private final long byteSize;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory;

  private SharedMemoryRegion(TritonClient client, String name, long byteSize) {
    this.client = client;
    this.name = name;
    this.byteSize = byteSize;
    this.memory = map(file(name), byteSize, arena);
  }

  /// Creates the file, maps it and registers it.
  static SharedMemoryRegion create(TritonClient client, String name, long byteSize) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "region: '%s' (expected: 1..200 of A-Z, a-z, 0-9, '_', '-' and '.')".formatted(name));
    }
    if (byteSize < 1) {
      throw new IllegalArgumentException("byteSize: %d (expected: at least 1)".formatted(byteSize));
    }
    var region = new SharedMemoryRegion(client, name, byteSize);
    try {
      region.register();
    } catch (TritonException e) {
      region.unmapAndUnlink();
      throw e;
    }
    return region;
  }

  /// The name by which the server knows it, and of the file.
  public String name() {
    return name;
  }

  /// Its size in bytes.
  public long byteSize() {
    return byteSize;
  }

  /// Registers it once more: with a server that was restarted.
  ///
  /// @throws TritonException as any call; [TritonException.SharedMemory] if the server knows it already
  public void register() {
    client.registerRegion(new RegionStatus(name, "/" + name, 0, byteSize));
  }

  /// A part of the region.
  ///
  /// @param offset where it begins, in bytes
  /// @param length its size in bytes, at most 2147483647
  /// @throws IllegalArgumentException if it is not within the region
  public Slice slice(long offset, long length) {
    return new Slice(this, offset, length);
  }

  /// Unregisters the region, unmaps it and deletes the file. A server that does not answer changes nothing about that.
  ///
  /// Afterwards reading from or writing to its slices throws `IllegalStateException`.
  @Override
  public void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    try {
      client.unregisterRegion(name);
    } catch (TritonException e) {
      // A server that has gone has forgotten the region, and one that has not cannot be made to.
    } finally {
      unmapAndUnlink();
    }
  }

  private void unmapAndUnlink() {
    arena.close();
    try {
      Files.deleteIfExists(file(name));
    } catch (IOException e) {
      throw new UncheckedIOException("could not delete " + file(name), e);
    }
  }

  private static MemorySegment map(Path file, long byteSize, Arena arena) {
    var permissions = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try (var channel = FileChannel.open(file, options, permissions)) {
      try {
        fill(channel, byteSize);
        return channel.map(FileChannel.MapMode.READ_WRITE, 0, byteSize, arena);
      } catch (IOException e) {
        Files.deleteIfExists(file);
        throw e;
      }
    } catch (IOException e) {
      arena.close();
      throw new UncheckedIOException(
          "%s: cannot create %d bytes of shared memory; is there room?".formatted(file,
              byteSize),
          e);
    }
  }

  /* A page that is first touched when /dev/shm is full kills the process or the server; writing says so instead. */
  private static void fill(FileChannel channel, long byteSize) throws IOException {
    var zeros = ByteBuffer.allocate((int) Math.min(ZEROS, byteSize));
    for (long written = 0; written < byteSize;) {
      zeros.position(0).limit((int) Math.min(zeros.capacity(), byteSize - written));
      written += channel.write(zeros);
    }
  }

  private static Path file(String name) {
    return DIRECTORY.resolve(name);
  }

  /// A part of a region.
  ///
  /// @param region the whole
  /// @param offset where it begins, in bytes
  /// @param length its size in bytes
  public record Slice(SharedMemoryRegion region, long offset, long length) {
    /// Checks the range.
    ///
    /// @throws IllegalArgumentException if it is not within the region, or longer than a buffer can be
    public Slice {
      if (offset < 0 || length < 0 || length > Integer.MAX_VALUE || offset > region.byteSize - length) {
        throw new IllegalArgumentException("slice: %d bytes from %d on (expected: within 0..%d of region %s)"
            .formatted(length, offset, region.byteSize, region.name));
      }
    }

    /// Its bytes, to write to and read from, little-endian.
    public ByteBuffer bytes() {
      return region.memory.asSlice(offset, length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
  }
}
