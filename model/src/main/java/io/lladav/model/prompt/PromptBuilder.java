package io.lladav.model.prompt;

import io.lladav.model.CheckpointException;
import io.lladav.model.prompt.ChatTemplate.Entry;
import io.lladav.model.prompt.Part.Text;
import io.lladav.model.prompt.Part.Visual;
import java.util.ArrayList;
import java.util.List;

/// Renders dialogues into prompts, so that nothing a person wrote can become a special token, a visual or a piece
/// of template; safe for use by many threads at once.
public final class PromptBuilder {
  /// Opens every dialogue that brings no system message of its own (LLaDA-V's conversation template).
  public static final String DEFAULT_SYSTEM_MESSAGE = "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
      + "provides, and assist the user with a variety of tasks using natural language.";

  /// The most text of one dialogue in characters, all messages together.
  public static final int TEXT_CHARS_MAX = 1 << 20;

  private final Tokenizer tokenizer;
  private final ChatTemplate template;

  /// @param tokenizer of the same checkpoint as the template
  /// @param template of the same checkpoint as the tokenizer
  public PromptBuilder(Tokenizer tokenizer, ChatTemplate template) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /// Renders a dialogue whose last message, the user's, is to be replied to.
  ///
  /// Messages that hold neither text nor visual are left out. Visuals must be numbered 0, 1, 2, … as they are read.
  ///
  /// @throws IllegalArgumentException when the dialogue does not end with a user message, has a system message
  ///     elsewhere than at its beginning, misnumbers its visuals or is longer than [#TEXT_CHARS_MAX]
  /// @throws CheckpointException when the template fails on it or loses a visual
  public Prompt build(List<Message> dialogue, PromptOptions options) {
    requireRoles(dialogue);
    int visuals = requireVisualsInOrder(dialogue);
    requireBounded(dialogue);
    var messages = complete(dialogue, options.thinkMode());
    var placeholders = new Placeholders(textsAround(messages));
    var entries = messages.stream()
        .map(message -> new Entry(message.role().templateName(),
            content(message, options.placement(), placeholders)))
        .toList();
    var assembly = new PromptAssembly(tokenizer, placeholders, options.quirks());
    var prompt = assembly.assemble(template.render(entries));
    requireAllVisuals(prompt, visuals);
    return prompt;
  }

  private static List<Message> complete(List<Message> dialogue, ThinkMode thinkMode) {
    var messages = new ArrayList<Message>();
    if (dialogue.getFirst().role() != Role.SYSTEM) {
      messages.add(Message.of(Role.SYSTEM, DEFAULT_SYSTEM_MESSAGE));
    }
    messages.addAll(dialogue.subList(0, dialogue.size() - 1));
    var lastParts = new ArrayList<>(dialogue.getLast().parts());
    lastParts.add(new Text(thinkMode.suffix()));
    messages.add(new Message(Role.USER, lastParts));
    return messages.stream().map(PromptBuilder::withoutEmptyText).filter(m -> !m.parts().isEmpty()).toList();
  }

  private static Message withoutEmptyText(Message message) {
    return new Message(message.role(), message.parts()
        .stream()
        .filter(part -> !(part instanceof Text(String text) && text.isEmpty()))
        .toList());
  }

  private String content(Message message, VisualPlacement placement, Placeholders placeholders) {
    var content = new StringBuilder();
    var run = new StringBuilder(); // neighbouring texts are one text: a look-alike may be spread over several
    boolean leading = placement == VisualPlacement.LEADING && message.parts().getFirst() instanceof Visual;
    for (int i = 0; i < message.parts().size(); i++) {
      switch (message.parts().get(i)) {
        case Text(String text) -> {
          content.append(leading ? "\n" : "");
          leading = false;
          run.append(text);
        }
        case Visual(int index) -> {
          content.append(hidden(run, placeholders)).append(leading && i > 0 ? " " : "");
          content.append(placeholders.forVisual(index));
        }
      }
    }
    return content.append(hidden(run, placeholders)).append(leading ? "\n" : "").toString();
  }

  private String hidden(StringBuilder run, Placeholders placeholders) {
    var text = UnicodeText.wellFormed(run.toString());
    run.setLength(0);
    return tokenizer.addedTokens().replaceIn(text, placeholders::forText);
  }

  private List<String> textsAround(List<Message> messages) {
    var texts = new ArrayList<>(tokenizer.specialStrings());
    texts.add(template.source());
    messages.forEach(message -> texts.addAll(texts(message)));
    return texts;
  }

  private static List<String> texts(Message message) {
    return message.parts().stream().filter(Text.class::isInstance).map(part -> ((Text) part).text()).toList();
  }

  private static void requireRoles(List<Message> dialogue) {
    if (dialogue.isEmpty() || dialogue.getLast().role() != Role.USER) {
      throw new IllegalArgumentException("dialogue: ends with %s (expected: a USER message)".formatted(
          dialogue.isEmpty() ? "nothing" : dialogue.getLast().role()));
    }
    for (int i = 1; i < dialogue.size(); i++) {
      if (dialogue.get(i).role() == Role.SYSTEM) {
        throw new IllegalArgumentException(
            "dialogue[%d].role: SYSTEM (expected: USER or ASSISTANT; SYSTEM only first)".formatted(i));
      }
    }
  }

  private static int requireVisualsInOrder(List<Message> dialogue) {
    int visuals = 0;
    for (int i = 0; i < dialogue.size(); i++) {
      for (Part part : dialogue.get(i).parts()) {
        if (part instanceof Visual(int index)) {
          if (index != visuals) {
            throw new IllegalArgumentException(
                "dialogue[%d].parts: visual %d (expected: %d)".formatted(i, index,
                    visuals));
          }
          visuals++;
        }
      }
    }
    return visuals;
  }

  private static void requireBounded(List<Message> dialogue) {
    long chars = dialogue.stream().flatMap(m -> texts(m).stream()).mapToLong(String::length).sum();
    if (chars > TEXT_CHARS_MAX) {
      throw new IllegalArgumentException(
          "dialogue: %d characters of text (expected: at most %d)".formatted(chars,
              TEXT_CHARS_MAX));
    }
  }

  private static void requireAllVisuals(Prompt prompt, int visuals) {
    var found = prompt.segments()
        .stream()
        .filter(PromptSegment.VisualSlot.class::isInstance)
        .map(segment -> ((PromptSegment.VisualSlot) segment).index())
        .toList();
    for (int i = 0; i < Math.max(visuals, found.size()); i++) {
      if (found.size() != visuals || found.get(i) != i) {
        throw new CheckpointException(
            "%s: chat_template: gives visuals %s (expected: each of 0..%d once, in order)"
                .formatted(CheckpointJson.TOKENIZER_CONFIG, found, visuals - 1));
      }
    }
  }
}
