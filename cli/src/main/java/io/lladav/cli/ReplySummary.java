package io.lladav.cli;

import io.lladav.v1.Finished;
import java.util.Locale;

/// What a reply took, in one line.
final class ReplySummary {
  private ReplySummary() {}

  static String of(Finished finished) {
    var usage = finished.getUsage();
    return String.format(Locale.ROOT,
        "(%d tokens, %d of the prompt, %d visual; %d forwards, %.2f tokens each; %.2f s)",
        usage.getGeneratedTokens(), usage.getPromptTokens(), usage.getVisualTokens(), usage.getNfe(),
        usage.getTokensPerForward(), usage.getSeconds().getTotal());
  }
}
