package io.lladav.denoiser;

import io.lladav.decoding.Asked;
import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.Choice;
import io.lladav.decoding.Commit;
import io.lladav.decoding.CounterRandom;
import io.lladav.decoding.DecodingSettings;
import io.lladav.decoding.Draft;
import io.lladav.decoding.InvalidSettingException;
import io.lladav.decoding.Remasking;
import io.lladav.decoding.ReverseProcess;
import io.lladav.decoding.Sampling;
import io.lladav.decoding.Schedule;
import io.lladav.decoding.Strategy;
import io.lladav.engine.StepResult;
import io.lladav.internal.denoiser.v1.StepPolicy;
import io.lladav.runtime.ServiceException.InvalidRequest;
import io.lladav.runtime.ServiceException.Mismatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The gateway's reverse process run along here, so that several steps can follow one request. It is the gateway's own
/// code with the gateway's own settings: what it asks next is what the gateway would ask. For one thread.
final class RunAhead {
  private final ReverseProcess process;
  private final boolean needsCertainties;
  private final int maskId;

  private RunAhead(ReverseProcess process, boolean needsCertainties, int maskId) {
    this.process = process;
    this.needsCertainties = needsCertainties;
    this.maskId = maskId;
  }

  /// Takes a reply up where its session begins.
  ///
  /// @throws InvalidRequest naming the first setting out of range, or a commit that cannot be this reply's
  static RunAhead of(StepPolicy policy, Opening opening, int maskId) {
    try {
      var settings = settings(policy, opening);
      var process = ReverseProcess.resume(settings, maskId, new CounterRandom(policy.getSeed()),
          policy.getAskAllMasked() ? Asked.ALL_MASKED : Asked.ELIGIBLE, commits(policy));
      return new RunAhead(process, settings.remasking().needsCertainties(), maskId);
    } catch (InvalidSettingException e) {
      throw new InvalidRequest("open.policy." + e.field(), "open.policy." + e.getMessage());
    } catch (IllegalArgumentException e) {
      throw new InvalidRequest("open.policy.commits", "open.policy.commits: " + e.getMessage());
    }
  }

  /// Throws unless a request asks what the process would ask now.
  ///
  /// @throws Mismatch then
  void requireNext(Step asked) {
    var due = process.next();
    if (due.isEmpty() || due.get().number() != asked.number()
        || !Arrays.equals(due.get().asked(), asked.positions())
        || !due.get().forward().equals(asked.forward())) {
      throw new Mismatch("step", "step: number %d (expected by open.policy: %s)".formatted(asked.number(),
          due.map(step -> "number " + step.number()).orElse("none, the reply is finished")));
    }
  }

  /// Takes the result of the step that is due; returns the one after it, none if the reply is finished.
  Optional<Step> after(StepResult result) {
    var step = process.next().orElseThrow();
    var commit = process.accept(step, result.candidates(), result.confidences(),
        needsCertainties ? result.certainties() : new float[0]);
    var changes = commit.changes(maskId);
    var committed = new Commits(changes.stream().mapToInt(Choice::position).toArray(),
        changes.stream().mapToInt(Choice::id).toArray());
    return process.next()
        .map(next -> new Step(next.number(), committed, next.asked(), next.forward(), next.uniforms()));
  }

  private static DecodingSettings settings(StepPolicy policy, Opening opening) {
    return new DecodingSettings(opening.genLength(), policy.getBlockLength(), strategy(policy),
        remasking(policy),
        cache(policy), new Sampling(opening.temperature(), policy.getSeed(), opening.guidanceScale()),
        policy.getStopsList().stream().map(stop -> ints(stop.getIdsList())).toList(), opening.suffixIds(),
        new Draft(ints(policy.getDraftPositionsList()), ints(policy.getDraftIdsList())),
        policy.hasMaxNfe() ? OptionalInt.of(policy.getMaxNfe()) : OptionalInt.empty());
  }

  private static Strategy strategy(StepPolicy policy) {
    return switch (policy.getStrategyCase()) {
      case FIXED -> new Strategy.Fixed(policy.getFixed().getSteps(), policy.getFixed().hasShiftedAlpha()
          ? new Schedule.Shifted(policy.getFixed().getShiftedAlpha())
          : new Schedule.Even());
      case THRESHOLD -> new Strategy.Threshold(policy.getThreshold());
      case FACTOR -> new Strategy.Factor(policy.getFactor().getFactor(),
          policy.getFactor().getReferenceQuirks()
              ? Strategy.Factor.Quirks.REFERENCE
              : Strategy.Factor.Quirks.NONE);
      case STRATEGY_NOT_SET ->
        throw new InvalidSettingException("strategy", "none", "fixed, threshold or factor");
    };
  }

  private static Remasking remasking(StepPolicy policy) {
    return switch (policy.getRemasking()) {
      case REMASKING_LOW_CONFIDENCE -> Remasking.LOW_CONFIDENCE;
      case REMASKING_RANDOM -> Remasking.RANDOM;
      case REMASKING_ENTROPY -> Remasking.ENTROPY;
      case REMASKING_MARGIN -> Remasking.MARGIN;
      case REMASKING_UNSPECIFIED, UNRECOGNIZED ->
        throw new InvalidSettingException("remasking", policy.getRemaskingValue(),
            "a value of its enumeration");
    };
  }

  private static CachePolicy cache(StepPolicy policy) {
    return switch (policy.getCacheCase()) {
      case PREFIX_REFRESH_INTERVAL -> new CachePolicy.Prefix(policy.getPrefixRefreshInterval());
      case DUAL_REFRESH_INTERVAL -> new CachePolicy.Dual(policy.getDualRefreshInterval());
      case INTERVAL -> new CachePolicy.Interval(policy.getInterval().getPromptInterval(),
          policy.getInterval().getGenInterval(), policy.getInterval().getTransferRatio());
      case CACHE_NOT_SET -> new CachePolicy.None();
    };
  }

  private static List<Commit> commits(StepPolicy policy) {
    var commits = new ArrayList<Commit>();
    for (var step : policy.getCommitsList()) {
      if (step.getIdsCount() != step.getPositionsCount()) {
        throw new IllegalArgumentException(
            "step %d: %d ids (expected: %d, one per position)".formatted(commits.size(),
                step.getIdsCount(), step.getPositionsCount()));
      }
      var choices = new ArrayList<Choice>();
      for (int i = 0; i < step.getIdsCount(); i++) {
        choices.add(new Choice(step.getPositions(i), step.getIds(i), 0));
      }
      commits.add(new Commit(commits.size(), choices.size(), choices));
    }
    return commits;
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }
}
