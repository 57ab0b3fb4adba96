package io.lladav.model.prompt;

import io.lladav.model.prompt.AddedTokens.Piece;
import io.lladav.model.prompt.PromptSegment.TextIds;
import io.lladav.model.prompt.PromptSegment.VisualSlot;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// One rendered template on its way to becoming a prompt: split at the template's own special tokens and at the
/// visuals, what was hidden is put back, and each run between is encoded as plain text.
final class PromptAssembly {
  private static final String VISUAL_MARK = "<image>";

  private final Tokenizer tokenizer;
  private final Placeholders placeholders;
  private final PromptQuirks quirks;

  private final StringBuilder promptText = new StringBuilder();
  private final List<PromptSegment> segments = new ArrayList<>();
  private IntStream.Builder ids = IntStream.builder();
  private boolean started;
  private boolean dropsAfterVisuals;
  private boolean afterVisual;
  private int turn;
  private boolean assistantSpoke;

  PromptAssembly(Tokenizer tokenizer, Placeholders placeholders, PromptQuirks quirks) {
    this.tokenizer = tokenizer;
    this.placeholders = placeholders;
    this.quirks = quirks;
  }

  Prompt assemble(String rendered) {
    var pieces = tokenizer.addedTokens().split(rendered);
    for (int i = 0; i < pieces.size(); i++) {
      switch (pieces.get(i)) {
        case Piece.Token(int id) -> {
          if (id == tokenizer.specialTokens().headerStart() && i + 1 < pieces.size()) {
            enterMessage(pieces.get(i + 1));
          }
          promptText.append(tokenizer.tokenText(id));
          append(new int[]{id});
        }
        case Piece.Plain(String text) -> appendPlain(text);
      }
    }
    closeText();
    return new Prompt(promptText.toString(), segments, turn);
  }

  /* Turns are counted from the headers, as the training code does it: a user message after an assistant message
     opens the next turn, and its header belongs to it. */
  private void enterMessage(Piece afterHeaderStart) {
    if (afterHeaderStart instanceof Piece.Plain(String role)) {
      if (role.strip().equals(Role.USER.templateName()) && assistantSpoke) {
        closeText();
        turn++;
        assistantSpoke = false;
      }
      assistantSpoke |= role.strip().equals(Role.ASSISTANT.templateName());
    }
  }

  private void appendPlain(String text) {
    var run = new StringBuilder();
    text.codePoints().forEach(c -> placeholders.visual(c).ifPresentOrElse(index -> {
      appendRun(run);
      appendVisual(index);
    }, () -> placeholders.restore(c, run)));
    appendRun(run);
  }

  private void appendRun(StringBuilder run) {
    promptText.append(run);
    append(tokenizer.encodeText(run.toString()));
    run.setLength(0);
  }

  private void append(int[] runIds) {
    if (runIds.length == 0) {
      return;
    }
    if (!started) {
      started = true;
      dropsAfterVisuals = quirks == PromptQuirks.REFERENCE
          && runIds[0] == tokenizer.specialTokens().startOfText();
    }
    IntStream.of(runIds).skip(afterVisual && dropsAfterVisuals ? 1 : 0).forEach(ids);
    afterVisual = false;
  }

  private void appendVisual(int index) {
    closeText();
    promptText.append(VISUAL_MARK);
    segments.add(new VisualSlot(index, turn));
    started = true;
    afterVisual = true;
  }

  private void closeText() {
    var closed = ids.build().toArray();
    ids = IntStream.builder();
    if (closed.length > 0) {
      segments.add(new TextIds(closed, turn));
    }
  }
}
