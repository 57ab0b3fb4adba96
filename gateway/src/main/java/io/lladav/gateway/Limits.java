package io.lladav.gateway;

import static io.lladav.runtime.ConfigException.require;

/// What one request may ask for.
///
/// @param genLengthMax positions of one reply
/// @param suffixTokensMax ids of one suffix
/// @param promptPositionsMax positions of one prompt; 0 takes the checkpoint's `tokenizer_model_max_length`
/// @param imageBytesMax bytes of one picture, frame or animated file
/// @param imagePixelsMax pixels of one picture or frame
/// @param imageSideMax pixels along one side of a picture or frame
/// @param imagesMax pictures and frames of one dialogue together
/// @param videoFramesMax frames of one video
/// @param videoPixelsMax pixels of all frames of an animated file together
/// @param messagesMax messages of one dialogue
/// @param textCharsMax UTF-16 units of all texts of one request together
/// @param stopStringsMax stop strings of one request
/// @param logitBiasesMax biases and banned ids of one request together
/// @param answersMax answers to one request; no more than `concurrentGenerationsMax` are offered
/// @param concurrentGenerationsMax generations that run at once; further ones wait
/// @param waitingGenerationsMax requests that wait for a place among those that run; further ones are refused with
///     RetryInfo
/// @param waitingBytesMax bytes of the requests above 64 KiB that wait
public record Limits(int genLengthMax, int suffixTokensMax, int promptPositionsMax, int imageBytesMax,
    long imagePixelsMax, int imageSideMax, int imagesMax, int videoFramesMax, long videoPixelsMax,
    int messagesMax,
    int textCharsMax,
    int stopStringsMax, int logitBiasesMax, int answersMax, int concurrentGenerationsMax,
    int waitingGenerationsMax,
    long waitingBytesMax) {
  // What PictureLimits can hold.
  private static final long PIXELS_MAX = Integer.MAX_VALUE / 3;
  private static final int SIDE_MAX = 1 << 24;

  /// Checks the values.
  ///
  /// @throws io.lladav.runtime.ConfigException naming the first value out of range
  public Limits {
    requirePositive("gen-length-max", genLengthMax);
    requirePositive("suffix-tokens-max", suffixTokensMax);
    require(promptPositionsMax >= 0, "prompt-positions-max", promptPositionsMax, "0..");
    requirePositive("image-bytes-max", imageBytesMax);
    require(imagePixelsMax >= 1 && imagePixelsMax <= PIXELS_MAX, "image-pixels-max", imagePixelsMax,
        "1..%d".formatted(PIXELS_MAX));
    require(imageSideMax >= 1 && imageSideMax <= SIDE_MAX, "image-side-max", imageSideMax,
        "1..%d".formatted(SIDE_MAX));
    requirePositive("images-max", imagesMax);
    require(videoFramesMax >= 1 && videoFramesMax <= 32, "video-frames-max", videoFramesMax, "1..32");
    requirePositive("video-pixels-max", videoPixelsMax);
    requirePositive("messages-max", messagesMax);
    requirePositive("text-chars-max", textCharsMax);
    requirePositive("stop-strings-max", stopStringsMax);
    requirePositive("logit-biases-max", logitBiasesMax);
    requirePositive("answers-max", answersMax);
    requirePositive("concurrent-generations-max", concurrentGenerationsMax);
    require(waitingGenerationsMax >= 0, "waiting-generations-max", waitingGenerationsMax, "0..");
    requirePositive("waiting-bytes-max", waitingBytesMax);
  }

  /// Answers to one request that can run at once: each takes a place among the generations that run.
  int answersAtOnceMax() {
    return Math.min(answersMax, concurrentGenerationsMax);
  }

  /// The defaults: replies of 4096 positions, pictures of 20 MiB and 50 megapixels,
  /// animations of 400 megapixels, 64 generations at once, and 256 requests of 128 MiB
  /// that wait.
  public static Limits defaults() {
    return new Limits(4096, 1024, 0, 20 << 20, 50_000_000, 16_384, 64, 32, 400_000_000, 256, 1 << 20, 16,
        1024, 8, 64, 256, 128 << 20);
  }

  private static void requirePositive(String key, long value) {
    require(value >= 1, key, value, "1..");
  }
}
