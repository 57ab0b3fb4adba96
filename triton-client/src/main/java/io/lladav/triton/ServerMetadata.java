package io.lladav.triton;

import java.util.List;

/// What a server says of itself.
///
/// @param name usually `triton`
/// @param version for example `2.51.0`
/// @param extensions of the protocol that it knows
public record ServerMetadata(String name, String version, List<String> extensions) {}
