package io.lladav.decoding;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The reverse process of one reply: from all generated positions masked, but for those of a [Draft], to a finished
/// reply, step by step.
///
/// It holds the generated part of the canvas and decides what each step asks the model and commits; it runs
/// no model and knows no prompt. A caller loops: [#next], run the model on the canvas, [#accept], until
/// `next` is empty. Positions are generated positions, 0 = the first behind the prompt. A position is masked
/// while its id is the mask id. Not safe for use by several threads at once.
public final class ReverseProcess {
  /* At a temperature above 0 each step draws anew, so one that changed nothing says little about the next. After 32 of
     them in a row the model is all but certain to prefer the mask for ever: a mask that wins nine draws out of ten
     would still have lost one of these in 97 replies of 100. */
  static final int IDLE_STEPS_MAX = 32;

  private final DecodingSettings settings;
  private final List<int[]> stops;
  private final int maskId;
  private final RandomNumbers numbers;
  private final Asked asked;
  private final int[] canvas;
  private final RefreshClock clock;
  // Of the block under way. Empty where confidences alone decide: such a block takes as many steps as it needs.
  private int[] quotas;
  private OptionalInt stop = OptionalInt.empty();
  private int forwards;
  private int block;
  private int stepInBlock;
  private int idleSteps;
  private @Nullable FinishReason finishReason;

  /// Begins a reply with every generated position masked that is not fixed.
  ///
  /// @param settings what the request chose
  /// @param maskId id of the mask token
  /// @param numbers where random numbers come from, [CounterRandom] unless they are recorded
  /// @param asked which positions the model is asked about
  public ReverseProcess(DecodingSettings settings, int maskId, RandomNumbers numbers, Asked asked) {
    this.settings = settings;
    this.stops = settings.stops();
    this.maskId = maskId;
    this.numbers = numbers;
    this.asked = asked;
    this.canvas = new int[settings.genLength()];
    Arrays.fill(canvas, maskId);
    this.clock = new RefreshClock(settings);
    for (var fixed : settings.draft().choices()) {
      canvas[fixed.position()] = fixed.id();
    }
    this.quotas = quotas();
    if (!settings.draft().isEmpty()) {
      stop = StopSearch.after(canvas, stops, stop);
      endOrGoOn();
    }
  }

  /// Takes a reply up again where the given commits have brought it.
  ///
  /// @param commits the commits of steps 0, 1, … without a gap
  /// @throws IllegalArgumentException if the commits cannot be those of this reply; the message says which
  public static ReverseProcess resume(DecodingSettings settings, int maskId, RandomNumbers numbers,
      Asked asked,
      List<Commit> commits) {
    var process = new ReverseProcess(settings, maskId, numbers, asked);
    commits.forEach(process::repeat);
    return process;
  }

  /// What to ask the model next; empty when the reply is finished. Asking again changes nothing.
  public Optional<Step> next() {
    if (finishReason != null) {
      return Optional.empty();
    }
    var due = step(clock.due(block));
    // What is left may lie in an earlier block, before the window: computing that would commit nothing.
    return Optional.of(due.eligible().length > 0 ? due : step(new Forward.Full()));
  }

  /// Takes the model's answer to the step last asked, commits what the strategy says and goes on.
  ///
  /// @param step the step that was asked
  /// @param candidates the best id for each asked position, shape `(asked)`
  /// @param confidences the probability of each candidate, shape `(asked)`; −∞ where it must not be chosen.
  ///     With [Remasking#RANDOM] the order numbers take their place
  /// @param certainties what orders the candidates, the larger the surer, shape `(asked)`: the entropy with its sign
  ///     turned with [Remasking#ENTROPY], the margin with [Remasking#MARGIN]; empty otherwise
  /// @return what was chosen
  /// @throws IllegalArgumentException if the step is not the current one, a shape is wrong, a candidate is
  ///     negative or a confidence or certainty is NaN; nothing has changed then
  public Commit accept(Step step, int[] candidates, float[] confidences, float[] certainties) {
    checkAnswer(step, candidates, confidences, certainties);
    int[] eligible = step.eligible();
    double[] order = new double[eligible.length];
    for (int i = 0; i < eligible.length; i++) {
      order[i] = switch (settings.remasking()) {
        case LOW_CONFIDENCE -> confidences[i];
        case RANDOM -> numbers.orderNumber(step.number(), eligible[i]);
        case ENTROPY, MARGIN -> confidences[i] == Float.NEGATIVE_INFINITY ? confidences[i] : certainties[i];
      };
    }
    boolean random = settings.remasking() == Remasking.RANDOM;
    int[] ranked = RemaskingPolicy.mostConfident(order, step.quota());
    double[] falling = IntStream.of(ranked).mapToDouble(i -> order[i]).toArray();
    var choices = IntStream.of(ranked).limit(settings.strategy().commits(falling, step.masked()))
        .mapToObj(i -> new Choice(eligible[i], candidates[i], random ? order[i] : confidences[i])).toList();
    var commit = new Commit(step.number(), eligible.length, choices);
    apply(step, commit);
    return commit;
  }

  /// Why the reply ended; empty while it has not.
  public Optional<FinishReason> finishReason() {
    return Optional.ofNullable(finishReason);
  }

  /// Ids of all generated positions, masked ones included, shape `(genLength)`.
  public int[] generatedIds() {
    return canvas.clone();
  }

  /// Ids of the reply: the generated ones before the stop, or all, then the suffix. May hold the mask id:
  /// while the reply is not finished, and where the steps ran out.
  public int[] replyIds() {
    int[] suffix = settings.suffix();
    int length = stop.orElse(canvas.length);
    int[] ids = Arrays.copyOf(canvas, length + suffix.length);
    System.arraycopy(suffix, 0, ids, length, suffix.length);
    return ids;
  }

  /// Whether a generated position is still masked.
  ///
  /// @throws IndexOutOfBoundsException if there is no such position
  public boolean isMasked(int position) {
    return canvas[position] == maskId;
  }

  /// Where the stop was found: the position of its first id.
  public OptionalInt stopPosition() {
    return stop;
  }

  /// How often the model was called; a guided pair counts as one.
  public int forwards() {
    return forwards;
  }

  private Step step(Forward forward) {
    int from = forward instanceof Forward.Window(int start, int _) ? start : 0;
    int to = forward instanceof Forward.Window(int _, int end) ? end : canvas.length;
    int[] eligible = masked(from, Math.min(to, eligibleEnd()));
    int[] positions = switch (asked) {
      case ELIGIBLE -> eligible.clone();
      case ALL_MASKED -> masked(from, Math.min(to, stop.orElse(canvas.length)));
    };
    int quota = isFixed() ? quotas[stepInBlock] : eligible.length;
    return new Step(forwards, block, stepInBlock, forward, quota, masked(from, canvas.length).length,
        eligible,
        positions, candidateNumbers(positions));
  }

  private void apply(Step step, Commit commit) {
    for (Choice choice : commit.choices()) {
      canvas[choice.position()] = choice.id();
    }
    stop = StopSearch.after(canvas, stops, stop);
    forwards++;
    stepInBlock++;
    clock.tick();
    int blockBefore = block;
    endOrGoOn();
    if (!isFixed() && finishReason == null && block == blockBefore) {
      endIfStalled(step, commit);
    }
    if (finishReason == null && forwards == settings.forwardsMax().orElse(0)) {
      finishReason = FinishReason.BUDGET;
    }
  }

  /// Ends the reply if nothing is left to do; else leaves blocks of which nothing is left to do.
  private void endOrGoOn() {
    if (stop.isPresent() && noneMasked(0, stop.getAsInt())) {
      finishReason = FinishReason.STOP;
    }
    while (finishReason == null && ((isFixed() && stepInBlock == quotas.length)
        || noneMasked(block * settings.blockLength(), blockEnd()))) {
      beginNextBlock();
    }
  }

  /// Ends a reply that would otherwise go on for ever: its strategy knows no number of steps, and a chosen mask id
  /// changes nothing.
  private void endIfStalled(Step step, Commit commit) {
    if (!commit.changes(maskId).isEmpty()) {
      idleSteps = 0;
      return;
    }
    idleSteps++;
    boolean drawn = settings.sampling().temperature() > 0;
    if (drawn ? idleSteps == IDLE_STEPS_MAX : step.forward() instanceof Forward.Full) {
      finishReason = FinishReason.STALLED;
    } else if (!drawn) {
      // The same canvas gives the same answer from the same cache: all that can help is to refresh it.
      clock.restart();
    }
  }

  private void beginNextBlock() {
    // A stop begins no later than the end of the block it was found in, so no later block is run.
    if (stop.isPresent() || block + 1 == settings.blocks()) {
      finishReason = FinishReason.LENGTH;
      return;
    }
    block++;
    stepInBlock = 0;
    quotas = quotas();
    clock.beginBlock();
  }

  private void repeat(Commit commit) {
    int number = commit.step();
    require(finishReason == null && number == forwards, "step", number, expectedStep());
    var step = next().orElseThrow();
    int count = commit.choices().size();
    require(count <= step.quota(), "choices in step " + number, count, "0.." + step.quota());
    var open = IntStream.of(step.eligible()).boxed().collect(Collectors.toSet());
    for (Choice choice : commit.choices()) {
      require(open.remove(choice.position()), "position in step " + number, choice.position(),
          "an eligible position, once");
      require(choice.id() >= 0, "id in step " + number, choice.id(), "0..");
    }
    apply(step, commit);
  }

  private void checkAnswer(Step step, int[] candidates, float[] confidences, float[] certainties) {
    require(finishReason == null && step.number() == forwards, "step", step.number(),
        finishReason == null ? String.valueOf(forwards) : "none, the reply is finished");
    require(candidates.length == step.asked().length, "candidates", candidates.length,
        String.valueOf(step.asked().length));
    require(confidences.length == step.asked().length, "confidences", confidences.length,
        String.valueOf(step.asked().length));
    require(certainties.length == certaintiesOf(step), "certainties", certainties.length,
        String.valueOf(certaintiesOf(step)));
    for (int i = 0; i < candidates.length; i++) {
      require(candidates[i] >= 0, "candidate at position " + step.asked()[i], candidates[i], "0..");
      require(!Float.isNaN(confidences[i]), "confidence at position " + step.asked()[i], confidences[i],
          "a number");
    }
    for (int i = 0; i < certainties.length; i++) {
      require(!Float.isNaN(certainties[i]), "certainty at position " + step.asked()[i], certainties[i],
          "a number");
    }
  }

  private int certaintiesOf(Step step) {
    return settings.remasking().needsCertainties() ? step.asked().length : 0;
  }

  private String expectedStep() {
    return finishReason == null ? String.valueOf(forwards) : "none, the reply is finished";
  }

  private static void require(boolean valid, String name, Object value, String expected) {
    if (!valid) {
      throw new IllegalArgumentException("%s: %s (expected: %s)".formatted(name, value, expected));
    }
  }

  private double[] candidateNumbers(int[] positions) {
    if (settings.sampling().temperature() == 0) {
      return new double[0];
    }
    return IntStream.of(positions).mapToDouble(position -> numbers.candidateNumber(forwards, position))
        .toArray();
  }

  private int[] quotas() {
    return settings.strategy() instanceof Strategy.Fixed(int steps, Schedule schedule)
        ? schedule.quotas(masked(block * settings.blockLength(), blockEnd()).length,
            steps / settings.blocks())
        : new int[0];
  }

  private boolean isFixed() { return settings.strategy() instanceof Strategy.Fixed; }

  private int eligibleEnd() {
    return stop.orElse(blockEnd());
  }

  private int blockEnd() {
    return (block + 1) * settings.blockLength();
  }

  private int[] masked(int from, int to) {
    return IntStream.range(from, to).filter(this::isMasked).toArray();
  }

  private boolean noneMasked(int from, int to) {
    return IntStream.range(from, to).noneMatch(this::isMasked);
  }
}
