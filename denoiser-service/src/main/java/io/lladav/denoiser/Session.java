package io.lladav.denoiser;

import io.lladav.decoding.Forward;
import io.lladav.engine.Cache;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.runtime.ServiceException.InvalidRequest;
import java.nio.FloatBuffer;
import java.util.Arrays;

/// One generation's canvas: which ids its generated part holds, the engine's embeddings of all of it, and what the
/// engine keeps of its forwards.
///
/// For one thread. Must not be closed while its step runs.
final class Session implements AutoCloseable {
  private final DenoiserSession canvas;
  private final Opening opening;
  private final int maskId;
  private final int vocabularySize;
  private final int[] generated;
  private int lastStep = Integer.MIN_VALUE;
  private boolean fullForwardAsked;

  private Session(DenoiserEngine engine, Opening opening, int maskId) {
    this.opening = opening;
    this.maskId = maskId;
    this.vocabularySize = engine.vocabularySize();
    this.generated = new int[opening.genLength()];
    Arrays.fill(generated, maskId);
    this.canvas = engine.open(opening.layout());
  }

  /// Opens a canvas and writes all its tokens; visual segments hold masks until they are written.
  ///
  /// @throws InvalidRequest naming the first id or position out of range
  static Session open(DenoiserEngine engine, Opening opening, int maskId) {
    var session = new Session(engine, opening, maskId);
    try {
      session.writeTokens();
      return session;
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /// Returns N, the positions of the canvas.
  int canvasLength() {
    return opening.canvasLength();
  }

  /// Writes some rows of a visual segment.
  ///
  /// @param segment index of a visual segment
  /// @param firstRow row of the segment at which these begin
  /// @param rows whole rows
  void writeEmbeddings(int segment, int firstRow, FloatBuffer rows) {
    canvas.writeEmbeddings(opening.prompt().start(segment) + firstRow, rows);
  }

  /// Writes what became final and returns the work of the step.
  ///
  /// @throws InvalidRequest naming what does not fit the canvas; nothing is written then
  StepWork begin(Step step) {
    if (step.number() <= lastStep) {
      throw invalid("step.number", step.number(), "above " + lastStep);
    }
    requireFit("step.", step.committed());
    requireUniforms(step);
    var after = generated.clone();
    apply(step.committed(), after);
    requireMasked(step.positions(), after);
    requireServed(step);
    lastStep = step.number();
    // A step that fails ends the session, so nobody asks for what it would have kept.
    fullForwardAsked |= step.forward() instanceof Forward.Full;
    write(step.committed());
    var positions = Arrays.stream(step.positions()).map(this::canvasPosition).toArray();
    return new StepWork(canvas, positions, sampling(step), opening.guidanceScale(),
        onCanvas(step.forward()), opening.certainty());
  }

  @Override
  public void close() {
    canvas.close();
  }

  private void writeTokens() {
    var prompt = opening.prompt();
    for (int i = 0; i < prompt.segments().size(); i++) {
      if (prompt.segments().get(i) instanceof PromptSegment.Text(int[] ids, _) && ids.length > 0) {
        requireIds("open.segments[%d].text.ids".formatted(i), ids);
        canvas.writeIds(prompt.start(i), ids);
      }
    }
    requireIds("open.suffix_ids", opening.suffixIds());
    if (opening.suffixIds().length > 0) {
      canvas.writeIds(canvasPosition(opening.genLength()), opening.suffixIds());
    }
    requireFit("open.", opening.committed());
    write(opening.committed());
    requireIds("open.bias_ids", opening.logitBias().ids());
    canvas.biasLogits(opening.logitBias());
  }

  private void write(Commits commits) {
    apply(commits, generated);
    for (int i = 0; i < commits.positions().length; i++) {
      canvas.writeIds(canvasPosition(commits.positions()[i]), new int[]{commits.ids()[i]});
    }
  }

  private static void apply(Commits commits, int[] ids) {
    for (int i = 0; i < commits.positions().length; i++) {
      ids[commits.positions()[i]] = commits.ids()[i];
    }
  }

  private int canvasPosition(int generatedPosition) {
    return opening.prompt().length() + generatedPosition;
  }

  private io.lladav.engine.Forward onCanvas(Forward forward) {
    return switch (forward) {
      case Forward.Full _ -> new io.lladav.engine.Forward.Full();
      case Forward.Window(int start, int end) ->
        new io.lladav.engine.Forward.Window(canvasPosition(start), canvasPosition(end));
      case Forward.Features(boolean prompt, boolean generated) ->
        new io.lladav.engine.Forward.Features(prompt, generated);
    };
  }

  private Sampling sampling(Step step) {
    return opening.temperature() > 0
        ? new Sampling.Temperature(opening.temperature(), step.uniforms())
        : new Sampling.Greedy();
  }

  private void requireUniforms(Step step) {
    var expected = opening.temperature() > 0 ? step.positions().length : 0;
    if (step.uniforms().length != expected) {
      throw invalid("step.uniforms", step.uniforms().length + " numbers",
          "%d at temperature %s".formatted(expected, opening.temperature()));
    }
    for (double uniform : step.uniforms()) {
      if (!(uniform >= 0 && uniform < 1)) {
        throw invalid("step.uniforms", uniform, "[0, 1)");
      }
    }
  }

  private void requireMasked(int[] positions, int[] ids) {
    if (positions.length == 0) {
      throw invalid("step.positions", "none", "at least one");
    }
    for (int i = 0; i < positions.length; i++) {
      var least = i == 0 ? 0 : positions[i - 1] + 1;
      if (positions[i] < least || positions[i] >= ids.length) {
        throw invalid("step.positions", positions[i], "ascending, %d..%d".formatted(least, ids.length - 1));
      }
      if (ids[positions[i]] != maskId) {
        throw invalid("step.positions", positions[i],
            "masked, but id %d is committed there".formatted(ids[positions[i]]));
      }
    }
  }

  private void requireServed(Step step) {
    switch (step.forward()) {
      case Forward.Full _ -> {
      }
      case Forward.Window window -> {
        requireKept("step.window", opening.cache() instanceof Cache.KeysAndValues,
            "open.cache.keys_and_values");
        requireAround(window, step.positions());
      }
      case Forward.Features _ ->
        requireKept("step.features", opening.cache() instanceof Cache.Features, "open.cache.features");
    }
  }

  private void requireKept(String field, boolean served, String cache) {
    if (!served) {
      throw invalid(field, "not served by the session's cache", "a session opened with " + cache);
    }
    if (!fullForwardAsked) {
      throw invalid(field, "nothing is kept yet", "a full forward first");
    }
  }

  private void requireAround(Forward.Window window, int[] positions) {
    var end = opening.genLength() + opening.suffixIds().length;
    var first = positions[0];
    var last = positions[positions.length - 1];
    if (window.start() < 0 || window.end() > end || first < window.start() || last >= window.end()) {
      throw invalid("step.window", "%d..%d".formatted(window.start(), window.end()),
          "within 0..%d, around the positions %d..%d".formatted(end, first, last));
    }
  }

  private void requireFit(String prefix, Commits commits) {
    if (commits.ids().length != commits.positions().length) {
      throw invalid(prefix + "committed_ids", commits.ids().length + " ids",
          "%d, one per position".formatted(commits.positions().length));
    }
    for (int position : commits.positions()) {
      if (position < 0 || position >= generated.length) {
        throw invalid(prefix + "committed_positions", position, "0.." + (generated.length - 1));
      }
    }
    requireIds(prefix + "committed_ids", commits.ids());
  }

  private void requireIds(String field, int[] ids) {
    for (int id : ids) {
      if (id < 0 || id >= vocabularySize) {
        throw invalid(field, id, "0.." + (vocabularySize - 1));
      }
    }
  }

  private static InvalidRequest invalid(String field, Object value, String expected) {
    return new InvalidRequest(field, "%s: %s (expected: %s)".formatted(field, value, expected));
  }
}
