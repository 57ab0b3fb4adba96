package io.lladav.denoiser;

import io.lladav.engine.Certainty;
import io.lladav.engine.DenoiserEngine;
import io.lladav.engine.DenoiserSession;
import io.lladav.engine.Forward;
import io.lladav.engine.Sampling;
import io.lladav.engine.StepWork;
import io.lladav.runtime.ServiceException.InvalidRequest;
import java.nio.FloatBuffer;
import java.util.Arrays;

/// One generation's canvas: which ids its generated part holds, and the engine's embeddings of all of it.
///
/// For one thread. Must not be closed while its step runs.
final class Session implements AutoCloseable {
  private final DenoiserSession canvas;
  private final Opening opening;
  private final int maskId;
  private final int vocabularySize;
  private final int[] generated;
  private int lastStep = Integer.MIN_VALUE;

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
    lastStep = step.number();
    write(step.committed());
    var positions = Arrays.stream(step.positions()).map(position -> opening.prompt().length() + position)
        .toArray();
    return new StepWork(canvas, positions, sampling(step), opening.guidanceScale(),
        new Forward.Full(), Certainty.CONFIDENCE);
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
      canvas.writeIds(prompt.length() + opening.genLength(), opening.suffixIds());
    }
    requireFit("open.", opening.committed());
    write(opening.committed());
  }

  private void write(Commits commits) {
    apply(commits, generated);
    for (int i = 0; i < commits.positions().length; i++) {
      canvas.writeIds(opening.prompt().length() + commits.positions()[i], new int[]{commits.ids()[i]});
    }
  }

  private static void apply(Commits commits, int[] ids) {
    for (int i = 0; i < commits.positions().length; i++) {
      ids[commits.positions()[i]] = commits.ids()[i];
    }
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
