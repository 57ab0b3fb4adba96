package io.lladav.engine;

/// How numbers are computed. Two engines of equal identity over the same checkpoint give equal candidates.
///
/// @param engine which implementation, such as `embedded`
/// @param precision of weights and activations, such as `fp32`
/// @param numericsVersion changes whenever the order or kind of the arithmetic does
public record EngineIdentity(String engine, String precision, String numericsVersion) {}
