package io.lladav.denoiser;

import io.lladav.engine.Cache;
import io.lladav.engine.Certainty;
import io.lladav.engine.LogitBias;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.LimitExceeded;
import java.util.ArrayList;
import java.util.Optional;

/// Reads the first message of a stream: checks it against the contract and the length of the canvas.
final class OpeningReader {
  private static final int DIGEST_BYTES = 32;

  private final int canvasPositionsMax;

  OpeningReader(int canvasPositionsMax) {
    this.canvasPositionsMax = canvasPositionsMax;
  }

  /// Returns what the session begins with.
  ///
  /// @throws InvalidRequest naming the first field out of range
  /// @throws LimitExceeded if the canvas is too long
  Opening read(OpenSession open) {
    requireLength(open);
    var committed = new Commits(ints(open.getCommittedPositionsList()), ints(open.getCommittedIdsList()));
    return new Opening(prompt(open), open.getGenLength(), ints(open.getSuffixIdsList()), dialogueCausal(open),
        atLeastZero("open.cfg_scale", open.getCfgScale()),
        atLeastZero("open.temperature", open.getTemperature()),
        cache(open), certainty(open), committed, logitBias(open),
        open.hasPolicy() ? Optional.of(open.getPolicy()) : Optional.empty());
  }

  private void requireLength(OpenSession open) {
    if (open.getGenLength() < 1) {
      throw invalid("open.gen_length", open.getGenLength(), "at least 1");
    }
    var promptLength = 0L;
    for (int i = 0; i < open.getSegmentsCount(); i++) {
      promptLength += length(i, open.getSegments(i));
    }
    if (promptLength < 1) {
      throw invalid("open.segments", "no positions", "at least one");
    }
    var length = promptLength + open.getGenLength() + open.getSuffixIdsCount();
    if (length > canvasPositionsMax) {
      throw new LimitExceeded("canvas-positions-max",
          "canvas: %d positions, %d of them prompt, %d reply, %d suffix"
              .formatted(length, promptLength, open.getGenLength(), open.getSuffixIdsCount())
              + " (expected: at most %d, canvas-positions-max)".formatted(canvasPositionsMax));
    }
  }

  private static int length(int index, io.lladav.internal.denoiser.v1.PromptSegment segment) {
    return switch (segment.getContentCase()) {
      case TEXT -> segment.getText().getIdsCount();
      case VISUAL -> {
        var field = "open.segments[%d].visual".formatted(index);
        if (segment.getVisual().getRowCount() < 1) {
          throw invalid(field + ".row_count", segment.getVisual().getRowCount(), "at least 1");
        }
        if (segment.getVisual().getDigest().size() != DIGEST_BYTES) {
          throw invalid(field + ".digest", segment.getVisual().getDigest().size() + " bytes",
              "" + DIGEST_BYTES);
        }
        yield segment.getVisual().getRowCount();
      }
      case CONTENT_NOT_SET -> throw invalid("open.segments[%d]".formatted(index), "empty", "text or visual");
    };
  }

  private static Prompt prompt(OpenSession open) {
    var segments = new ArrayList<PromptSegment>();
    var turn = 0;
    for (int i = 0; i < open.getSegmentsCount(); i++) {
      var segment = open.getSegments(i);
      if (segment.getTurn() < turn) {
        throw invalid("open.segments[%d].turn".formatted(i), segment.getTurn(), "at least " + turn);
      }
      turn = segment.getTurn();
      segments.add(segment.hasVisual()
          ? new PromptSegment.Visual(segment.getVisual().getRowCount(), turn)
          : new PromptSegment.Text(ints(segment.getText().getIdsList()), turn));
    }
    return new Prompt(segments);
  }

  private static boolean dialogueCausal(OpenSession open) {
    return switch (open.getAttention()) {
      case ATTENTION_FULL -> false;
      case ATTENTION_DIALOGUE_CAUSAL -> true;
      case ATTENTION_UNSPECIFIED, UNRECOGNIZED -> throw invalid("open.attention", open.getAttentionValue(),
          "ATTENTION_FULL or ATTENTION_DIALOGUE_CAUSAL");
    };
  }

  private static Cache cache(OpenSession open) {
    return switch (open.getCache().getKindCase()) {
      case KEYS_AND_VALUES -> new Cache.KeysAndValues();
      case FEATURES -> {
        var transferCount = open.getCache().getFeatures().getTransferCount();
        var most = open.getGenLength() + open.getSuffixIdsCount();
        if (transferCount < 0 || transferCount > most) {
          throw invalid("open.cache.features.transfer_count", transferCount, "0.." + most);
        }
        yield new Cache.Features(transferCount);
      }
      case KIND_NOT_SET -> {
        if (open.hasCache()) {
          throw invalid("open.cache", "empty", "keys_and_values or features");
        }
        yield new Cache.None();
      }
    };
  }

  private static Certainty certainty(OpenSession open) {
    return switch (open.getCertainty()) {
      case CERTAINTY_UNSPECIFIED -> Certainty.CONFIDENCE;
      case CERTAINTY_NEGATIVE_ENTROPY -> Certainty.NEGATIVE_ENTROPY;
      case CERTAINTY_MARGIN -> Certainty.MARGIN;
      case UNRECOGNIZED -> throw invalid("open.certainty", open.getCertaintyValue(),
          "CERTAINTY_NEGATIVE_ENTROPY, CERTAINTY_MARGIN or none");
    };
  }

  private static LogitBias logitBias(OpenSession open) {
    var values = new float[open.getBiasValuesCount()];
    for (int i = 0; i < values.length; i++) {
      values[i] = open.getBiasValues(i);
    }
    try {
      return new LogitBias(ints(open.getBiasIdsList()), values);
    } catch (IllegalArgumentException e) {
      throw new InvalidRequest("open.bias_ids", "open.bias_ids: " + e.getMessage());
    }
  }

  private static double atLeastZero(String field, double value) {
    // The engine computes in float32.
    if (!(value >= 0 && value <= Float.MAX_VALUE)) {
      throw invalid(field, value, "at least 0, finite");
    }
    return value;
  }

  private static int[] ints(java.util.List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  private static InvalidRequest invalid(String field, Object value, String expected) {
    return new InvalidRequest(field, "%s: %s (expected: %s)".formatted(field, value, expected));
  }
}
