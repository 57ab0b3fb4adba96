package io.lladav.engine;

import java.util.List;

/// The language tower: canvases with masks to candidates at masked positions.
///
/// Sessions may be opened, written and closed by any thread; `run` serves one caller at a time, who may enter it once
/// more between two slices. A session must not be written or closed while a step of it runs.
public interface DenoiserEngine extends AutoCloseable {
  /// Returns how the arithmetic is done.
  EngineIdentity identity();

  /// Returns the width D of an embedding.
  int hiddenSize();

  /// Returns how many token ids exist: those of the tokenizer, from 0. Rows stored beyond take no part in anything.
  int vocabularySize();

  /// Returns the memory of a session, in bytes: embeddings, rotary tables and what its cache keeps.
  long sessionBytes(CanvasLayout layout);

  /// Opens a canvas in which every position holds the mask token.
  ///
  /// @throws EngineException if its memory cannot be had
  DenoiserSession open(CanvasLayout layout);

  /// Runs one step of each session and returns their results in the same order. What a step gives does not depend
  /// on the steps beside it, nor on which other positions were asked for, nor on what is let in between slices. The
  /// rows of all steps share the matrix products; a long forward is cut into slices of rows. A step that fails alone has a
  /// result that says so.
  ///
  /// @param betweenSlices called on the running thread between two slices, in every layer anew. It may enter `run` once
  ///     more, not deeper, with short work of sessions outside this batch
  /// @throws IllegalArgumentException if a position lies outside its canvas or a session is not of this engine
  /// @throws EngineException if the arithmetic fails
  List<StepResult> run(List<StepWork> batch, Runnable betweenSlices);

  /// Runs the steps and lets nothing in between.
  ///
  /// @throws IllegalArgumentException if a position lies outside its canvas or a session is not of this engine
  /// @throws EngineException if the arithmetic fails
  default List<StepResult> run(List<StepWork> batch) {
    return run(batch, () -> {});
  }

  /// Frees the engine. Its sessions must have been closed before.
  @Override
  void close();
}
