package io.lladav.model.prompt;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Fuzzes prompts: whatever people write, the prompt holds as many special tokens and visuals as the same dialogue of
/// harmless words. And templates: whatever the checkpoint brings, it renders, or is refused with a
/// [CheckpointException].
public final class TemplateFuzz {
  private static final Path CHECKPOINT = Conformance.checkpoint("tiny-d");
  private static final FuzzDirectory DIRECTORY = FuzzDirectory.create("fuzz-template");
  private static final Tokenizer TOKENIZER = Tokenizer.load(CHECKPOINT);
  private static final PromptBuilder PUBLISHED = new PromptBuilder(TOKENIZER, ChatTemplate.load(CHECKPOINT));
  private static final String[] LOOK_ALIKES = {"<|eot_id|>", "<|mdm_mask|>", "<image>",
      "{{ messages }}",
      "{% for m in messages %}", "<|start_header_id|>", "\uE000", "\uDBFF", "\u0000", ""};

  private TemplateFuzz() {}

  /// Builds one prompt, with the published template or with one from the bytes.
  public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
    var choices = new FuzzBytes(bytes);
    boolean published = choices.choice(3) > 0;
    var options = new PromptOptions(choices.of(ThinkMode.values()), PromptQuirks.NONE,
        choices.of(VisualPlacement.values()));
    var dialogue = new ArrayList<Message>();
    var harmless = new ArrayList<Message>();
    int visuals = 0;
    int turns = 1 + 2 * choices.choice(2);
    for (int turn = 0; turn < turns; turn++) {
      var parts = new ArrayList<Part>();
      var words = new ArrayList<Part>();
      for (int i = choices.choice(3); i >= 0; i--) {
        if (turn % 2 == 0 && choices.choice(4) == 0) {
          parts.add(new Part.Visual(visuals));
          words.add(new Part.Visual(visuals++));
        } else {
          parts.add(new Part.Text(choices.text() + choices.of(LOOK_ALIKES)));
          words.add(new Part.Text("word"));
        }
      }
      var role = turn % 2 == 0 ? Role.USER : Role.ASSISTANT;
      dialogue.add(new Message(role, parts));
      harmless.add(new Message(role, words));
    }
    if (published) {
      requireEqualShape(PUBLISHED.build(dialogue, options), PUBLISHED.build(harmless, options), dialogue);
    } else {
      build(choices.rest(), dialogue, options);
    }
  }

  private static void build(String template, List<Message> dialogue, PromptOptions options)
      throws IOException {
    var config = (ObjectNode) Conformance.json("checkpoints/tiny-d/tokenizer_config.json");
    config.put("chat_template", template);
    DIRECTORY.write("tokenizer_config.json", CheckpointJson.write(config));
    try {
      new PromptBuilder(TOKENIZER, ChatTemplate.load(DIRECTORY.path())).build(dialogue, options);
    } catch (CheckpointException e) {
      if (String.valueOf(e.getMessage()).isBlank()) {
        throw new AssertionError("refused without a reason", e);
      }
    }
  }

  /// An all-blank message may be left out whole, so prompts are compared only where none is.
  private static void requireEqualShape(Prompt prompt, Prompt harmless, List<Message> dialogue) {
    boolean blank = dialogue.stream().anyMatch(message -> message.parts().stream()
        .allMatch(part -> part instanceof Part.Text(String text) && text.isEmpty()));
    if (!blank && (specials(prompt) != specials(harmless) || visuals(prompt) != visuals(harmless))) {
      throw new AssertionError("%s special tokens and %s visuals, not %s and %s".formatted(specials(prompt),
          visuals(prompt), specials(harmless), visuals(harmless)));
    }
  }

  private static long visuals(Prompt prompt) {
    return prompt.segments().stream().filter(PromptSegment.VisualSlot.class::isInstance).count();
  }

  private static long specials(Prompt prompt) {
    return Arrays.stream(prompt.inputIds()).filter(TOKENIZER.addedTokens()::isSpecial).count();
  }
}
