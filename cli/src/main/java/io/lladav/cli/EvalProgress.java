package io.lladav.cli;

import io.grpc.StatusRuntimeException;
import io.lladav.cli.eval.EvaluationListener;
import java.io.PrintStream;

/// Shows how an evaluation goes on, and a line for each question without a reply.
final class EvalProgress implements EvaluationListener {
  private final Progress progress;
  private final PrintStream complaints;
  private int answered;
  private int failed;
  private int total;

  EvalProgress(Progress progress, PrintStream complaints) {
    this.progress = progress;
    this.complaints = complaints;
  }

  @Override
  public void begun(int answeredBefore, int questions) {
    answered = answeredBefore;
    total = questions;
    show();
  }

  @Override
  public void answered(String id) {
    answered++;
    show();
  }

  @Override
  public void failed(String id, StatusRuntimeException failure) {
    failed++;
    progress.clear();
    complaints.println(id + ": " + Main.status(failure));
    show();
  }

  private void show() {
    progress.show(answered + failed, total, "%d of %d questions%s".formatted(answered + failed, total,
        failed == 0 ? "" : ", %d failed".formatted(failed)));
  }
}
