package io.lladav.engine;

import java.nio.FloatBuffer;

/// The input embeddings of one canvas, held outside the Java heap. Positions are canvas positions: the prompt from
/// 0, then the generated part, then the suffix. Positions never written hold the mask token.
///
/// With guidance it also holds the canvas without its prompt, in which every prompt position stays the mask token.
/// Not safe for use by several threads at once.
public interface DenoiserSession extends AutoCloseable {
  /// Returns the layout it was opened with.
  CanvasLayout layout();

  /// Writes tokens to consecutive positions; the mask id makes a position masked again.
  ///
  /// @param position canvas position of the first
  /// @param ids each in `0..vocabularySize-1`
  /// @throws IllegalArgumentException if a position or id is out of range; nothing is written then
  void writeIds(int position, int[] ids);

  /// Writes embeddings, such as visual ones, to consecutive positions.
  ///
  /// @param position canvas position of the first
  /// @param rows whole rows of the engine's `hiddenSize` values, from its position to its limit
  /// @throws IllegalArgumentException if a position is out of range or a row is incomplete; nothing is written then
  void writeEmbeddings(int position, FloatBuffer rows);

  /// Biases the candidates of every step from now on. Without it nothing is biased.
  ///
  /// @throws IllegalArgumentException if an id is out of range; nothing is changed then
  void biasLogits(LogitBias bias);

  /// Frees the canvas. Further calls do nothing.
  @Override
  void close();
}
