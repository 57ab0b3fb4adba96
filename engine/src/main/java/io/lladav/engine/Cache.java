package io.lladav.engine;

/// What a session keeps of one forward for later ones, per layer and sequence (a guided canvas is two). N positions,
/// L layers, D the hidden size, E the key-value heads times the head size.
public sealed interface Cache {
  /// Nothing: every forward is of the whole canvas.
  record None() implements Cache {}

  /// Keys and values of every position, for [Forward.Window] (Fast-dLLM, arXiv 2505.22618): 2 L N E floats.
  record KeysAndValues() implements Cache {}

  /// Keys, values, and the outputs of the attention and MLP blocks of every position, for [Forward.Features]
  /// (dLLM-Cache, arXiv 2506.06295): 2 L N (E + D) floats.
  ///
  /// @param transferCount how many positions of the generated part and suffix are computed anew where that part is not
  ///     refreshed: those whose value vectors have changed most; 0 for none
  record Features(int transferCount) implements Cache {
    public Features {
      if (transferCount < 0) {
        throw new IllegalArgumentException("transferCount: %s (expected: 0..)".formatted(transferCount));
      }
    }
  }
}
