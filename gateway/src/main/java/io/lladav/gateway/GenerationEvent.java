package io.lladav.gateway;

import io.lladav.decoding.FinishReason;
import io.lladav.model.image.VisualPlan;
import io.lladav.model.prompt.Prompt;
import java.util.List;

/// What a generation tells while it runs, in this order: [PromptBuilt], [Started], [VisualEncoded] once per visual,
/// [Stepped] once per step, [Finished]; [Grown] in between where asked for.
sealed interface GenerationEvent {
  /// The prompt is rendered and tokenized.
  record PromptBuilt(Prompt prompt) implements GenerationEvent {}

  /// The request is accepted; no forward has run.
  ///
  /// @param promptTokens positions of the prompt, text and visual together
  /// @param plans how each visual enters the prompt, in prompt order
  /// @param draft what of the reply is fixed, ascending
  record Started(int promptTokens, List<VisualPlan> plans, List<Token> draft) implements GenerationEvent {
    public Started {
      plans = List.copyOf(plans);
      draft = List.copyOf(draft);
    }
  }

  /// A visual's embeddings have reached the denoiser.
  ///
  /// @param visual index of the visual
  /// @param tileDigests SHA-256 of each tile's RGB bytes, in tile order
  record VisualEncoded(int visual, List<byte[]> tileDigests) implements GenerationEvent {
    public VisualEncoded {
      tileDigests = List.copyOf(tileDigests);
    }
  }

  /// A denoising step is done.
  ///
  /// @param number 0 for the first step of the reply
  /// @param block 0 for the first block
  /// @param committed what became final, by falling confidence
  /// @param provisional the best guess for every position still masked, ascending; empty unless asked for
  record Stepped(int number, int block, List<Token> committed, List<Token> provisional)
      implements
        GenerationEvent {
    public Stepped {
      committed = List.copyOf(committed);
      provisional = List.copyOf(provisional);
    }
  }

  /// A token at its place in the reply.
  ///
  /// @param position 0 for the first generated position
  /// @param id its token id
  /// @param confidence its probability, or the random number that ordered it
  /// @param text the token alone as text; empty for special tokens
  record Token(int position, int id, double confidence, String text) {}

  /// More of the reply's beginning can no longer change.
  ///
  /// @param text what is new
  /// @param steps how many steps have run
  record Grown(String text, int steps) implements GenerationEvent {}

  /// The reply is complete.
  ///
  /// @param reason why it ended
  /// @param text the reply without special tokens and without the stop
  /// @param ids the reply's ids before the stop, then the suffix's
  /// @param confidences by generated id: what it was committed with, 0 where it is masked, 1 where it was fixed
  /// @param commitSteps likewise: the step that committed it, 1 for the first; 0 where there was none
  /// @param usage what it took
  @SuppressWarnings("ArrayRecordComponent") // read by the writer alone, compared nowhere
  record Finished(FinishReason reason, String text, int[] ids, float[] confidences, int[] commitSteps,
      Usage usage)
      implements
        GenerationEvent {}

  /// What a reply took.
  ///
  /// @param promptTokens positions of the prompt
  /// @param visualTokens visual positions among them
  /// @param generatedTokens generated ids in the reply
  /// @param forwards model calls; a guided pair is one
  /// @param seconds where the time went
  record Usage(int promptTokens, int visualTokens, int generatedTokens, int forwards, Seconds seconds) {}

  /// Where the time went, in seconds.
  record Seconds(double total, double prompt, double visual, double queue, double forward, double policy) {}
}
