package io.lladav.triton;

/// A shared memory region that a server knows.
///
/// @param name by which requests name it
/// @param key the file's name in `/dev/shm`, behind a slash
/// @param offset where it begins in the file, in bytes
/// @param byteSize its size in bytes
public record RegionStatus(String name, String key, long offset, long byteSize) {}
