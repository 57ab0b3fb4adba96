package io.lladav.cli;

import io.lladav.v1.Finished;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.Token;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Shows a reply in another view, and then what its tokens were committed with, one line each.
final class ConfidencesView implements ReplyView {
  private final ReplyView reply;
  private final PrintStream out;
  private final Map<Integer, String> texts = new HashMap<>();

  ConfidencesView(ReplyView reply, PrintStream out) {
    this.reply = reply;
    this.out = out;
  }

  @Override
  public void show(GenerateResponse event) {
    reply.show(event);
    event.getStarted().getDraftList().forEach(this::note);
    event.getStep().getCommittedList().forEach(this::note);
    if (event.hasFinished()) {
      list(event.getFinished());
    }
  }

  @Override
  public void interrupted() {
    reply.interrupted();
  }

  private void note(Token token) {
    texts.put(token.getPosition(), token.getText());
  }

  /* Step 0 is what was fixed, or is masked still. Texts are quoted: they begin with blanks and may hold line breaks. */
  private void list(Finished finished) {
    out.println("position  step  confidence  token");
    for (int i = 0; i < finished.getConfidencesCount(); i++) {
      out.println(String.format(Locale.ROOT, "%8d  %4d  %10.4f  %s", i, finished.getCommitSteps(i),
          finished.getConfidences(i), quoted(finished.getTokenIds(i), texts.get(i))));
    }
  }

  private static String quoted(int id, @Nullable String text) {
    return text == null
        ? id + " (masked)"
        : "%d \"%s\"".formatted(id, VisibleText.of(text.replace("\n", "\\n")));
  }
}
