package io.lladav.gateway;

/// The limits of production, but for what a test chooses.
final class ChosenLimits {
  private int imageBytesMax = Limits.defaults().imageBytesMax();
  private int imagesMax = Limits.defaults().imagesMax();
  private int videoFramesMax = Limits.defaults().videoFramesMax();
  private int concurrentGenerationsMax = Limits.defaults().concurrentGenerationsMax();
  private int waitingGenerationsMax = Limits.defaults().waitingGenerationsMax();
  private long waitingBytesMax = Limits.defaults().waitingBytesMax();

  ChosenLimits imageBytesMax(int bytes) {
    imageBytesMax = bytes;
    return this;
  }

  ChosenLimits imagesMax(int count) {
    imagesMax = count;
    return this;
  }

  ChosenLimits videoFramesMax(int count) {
    videoFramesMax = count;
    return this;
  }

  ChosenLimits concurrentGenerationsMax(int count) {
    concurrentGenerationsMax = count;
    return this;
  }

  ChosenLimits waitingGenerationsMax(int count) {
    waitingGenerationsMax = count;
    return this;
  }

  ChosenLimits waitingBytesMax(long bytes) {
    waitingBytesMax = bytes;
    return this;
  }

  /// What was chosen.
  Limits limits() {
    var d = Limits.defaults();
    return new Limits(d.genLengthMax(), d.suffixTokensMax(), d.promptPositionsMax(), imageBytesMax,
        d.imagePixelsMax(), d.imageSideMax(), imagesMax, videoFramesMax, d.videoPixelsMax(), d.messagesMax(),
        d.textCharsMax(), d.stopStringsMax(), d.logitBiasesMax(), d.answersMax(), concurrentGenerationsMax,
        waitingGenerationsMax, waitingBytesMax);
  }
}
