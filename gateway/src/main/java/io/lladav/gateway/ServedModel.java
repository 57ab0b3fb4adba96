package io.lladav.gateway;

import io.lladav.model.checkpoint.Checkpoint;
import io.lladav.model.image.PictureLayout;
import io.lladav.model.image.Size;
import io.lladav.model.image.VisualPlan;
import io.lladav.model.image.VisualPlanner;
import io.lladav.model.prompt.ChatTemplate;
import io.lladav.model.prompt.PromptBuilder;
import io.lladav.model.prompt.Tokenizer;
import io.lladav.runtime.ServiceException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;

/// What the gateway knows of the model: its tokenizer and template, and how pictures become positions. It runs none of
/// its weights.
final class ServedModel implements AutoCloseable {
  private final Checkpoint checkpoint;
  private final Tokenizer tokenizer;
  private final PromptBuilder promptBuilder;
  private final VisualPlanner planner;
  private final int promptPositionsMax;

  private ServedModel(Checkpoint checkpoint, Tokenizer tokenizer, PromptBuilder promptBuilder,
      VisualPlanner planner, int promptPositionsMax) {
    this.checkpoint = checkpoint;
    this.tokenizer = tokenizer;
    this.promptBuilder = promptBuilder;
    this.planner = planner;
    this.promptPositionsMax = promptPositionsMax;
  }

  /// Reads a checkpoint directory.
  ///
  /// @param promptPositionsMax positions of one prompt; 0 takes the checkpoint's own limit
  /// @throws io.lladav.model.CheckpointException if the directory cannot be served
  static ServedModel open(Path directory, int promptPositionsMax) {
    var checkpoint = Checkpoint.open(directory);
    var tokenizer = Tokenizer.load(directory);
    int ownMax = checkpoint.promptLengthMax();
    return new ServedModel(checkpoint, tokenizer, new PromptBuilder(tokenizer, ChatTemplate.load(directory)),
        new VisualPlanner(checkpoint.visualSettings()),
        promptPositionsMax == 0 ? ownMax : Math.min(promptPositionsMax, ownMax));
  }

  Checkpoint checkpoint() {
    return checkpoint;
  }

  Tokenizer tokenizer() {
    return tokenizer;
  }

  int maskId() {
    return tokenizer.specialTokens().mask();
  }

  /// Positions that a prompt may have.
  int promptPositionsMax() {
    return promptPositionsMax;
  }

  /// Renders and tokenizes a dialogue and plans its visuals, however long they are.
  ///
  /// @throws ServiceException.InvalidRequest if the dialogue or a visual cannot be laid out
  CanvasPlan plan(GenerationRequest request) {
    var prompt = build(request);
    var plans = request.visuals().stream().map(visual -> plan(visual, request)).toList();
    return new CanvasPlan(prompt, plans);
  }

  /// Throws unless a prompt is as short as it must be.
  ///
  /// @throws ServiceException.LimitExceeded then
  void requireFits(CanvasPlan plan) {
    if (plan.promptPositions() > promptPositionsMax) {
      throw new ServiceException.LimitExceeded("limits.prompt-positions-max",
          "messages: %d prompt positions, %d of them visual (expected: at most %d, limits.prompt-positions-max);"
              .formatted(plan.promptPositions(), plan.visualPositions(), promptPositionsMax)
              + " shorten the dialogue or leave out pictures");
    }
  }

  /// The content digest of each visual: SHA-256 over layout and picture bytes.
  List<byte[]> digests(GenerationRequest request, CanvasPlan plan) {
    var digests = new ArrayList<byte[]>();
    for (int i = 0; i < request.visuals().size(); i++) {
      digests.add(digest(request.visuals().get(i), plan.plans().get(i)));
    }
    return digests;
  }

  @Override
  public void close() {
    tokenizer.close();
    checkpoint.close();
  }

  private io.lladav.model.prompt.Prompt build(GenerationRequest request) {
    try {
      return promptBuilder.build(request.dialogue(), request.promptOptions());
    } catch (IllegalArgumentException e) {
      throw new ServiceException.InvalidRequest("messages", String.valueOf(e.getMessage()));
    }
  }

  private VisualPlan plan(Visual visual, GenerationRequest request) {
    try {
      return switch (visual) {
        case Visual.Video video -> planner.video(video.pictureCount());
        case Visual.Picture(_, var frame) -> {
          var size = new Size(frame.width(), frame.height());
          yield isAlone(request) ? planner.pictureAlone(size) : planner.picture(size, layout(request));
        }
      };
    } catch (IllegalArgumentException e) {
      throw new ServiceException.InvalidRequest(visual.field(), visual.field() + ": " + e.getMessage());
    }
  }

  /// Pictures are counted over the whole dialogue, videos apart: a second one changes the layout of all.
  private static boolean isAlone(GenerationRequest request) {
    return request.visuals().stream().filter(Visual.Picture.class::isInstance).count() == 1;
  }

  private static PictureLayout layout(GenerationRequest request) {
    return switch (request.multiImage()) {
      case LIST -> PictureLayout.PADDED;
      case STACKED -> PictureLayout.PADDED_STACKED;
      case TILED -> PictureLayout.TILED;
    };
  }

  private static byte[] digest(Visual visual, VisualPlan plan) {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(plan.toString().getBytes(StandardCharsets.UTF_8));
      visual.frames().forEach(frame -> {
        sha256.update((byte) 0);
        if (!frame.sampled().isEmpty()) {
          sha256.update(frame.sampled().toString().getBytes(StandardCharsets.UTF_8));
        }
        sha256.update(frame.data().duplicate());
      });
      return sha256.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
