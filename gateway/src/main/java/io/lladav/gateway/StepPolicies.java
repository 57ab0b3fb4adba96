package io.lladav.gateway;

import io.lladav.decoding.CachePolicy;
import io.lladav.decoding.Choice;
import io.lladav.decoding.DecodingSettings;
import io.lladav.decoding.Schedule;
import io.lladav.decoding.Strategy;
import io.lladav.internal.denoiser.v1.FactorStrategy;
import io.lladav.internal.denoiser.v1.FixedStrategy;
import io.lladav.internal.denoiser.v1.IntervalCache;
import io.lladav.internal.denoiser.v1.StepCommits;
import io.lladav.internal.denoiser.v1.StepPolicy;
import io.lladav.internal.denoiser.v1.StopIds;
import io.lladav.v1.Remasking;
import java.util.List;
import java.util.stream.IntStream;

/// Tells a denoiser how a reply's steps are decided, so that it can run several per call.
final class StepPolicies {
  private StepPolicies() {}

  /// @param askAllMasked whether steps ask about all masked positions
  /// @param commits what each step so far has changed
  static StepPolicy of(DecodingSettings settings, boolean askAllMasked, List<List<Choice>> commits) {
    var policy = StepPolicy.newBuilder().setBlockLength(settings.blockLength())
        .setSeed(settings.sampling().seed())
        .setAskAllMasked(askAllMasked)
        .setRemasking(switch (settings.remasking()) {
          case LOW_CONFIDENCE -> Remasking.REMASKING_LOW_CONFIDENCE;
          case RANDOM -> Remasking.REMASKING_RANDOM;
          case ENTROPY -> Remasking.REMASKING_ENTROPY;
          case MARGIN -> Remasking.REMASKING_MARGIN;
        });
    switch (settings.strategy()) {
      case Strategy.Fixed(int steps, Schedule schedule) -> policy.setFixed(fixed(steps, schedule));
      case Strategy.Threshold(double tau) -> policy.setThreshold(tau);
      case Strategy.Factor(double factor, Strategy.Factor.Quirks quirks) ->
        policy.setFactor(FactorStrategy.newBuilder()
            .setFactor(factor).setReferenceQuirks(quirks == Strategy.Factor.Quirks.REFERENCE));
    }
    switch (settings.cache()) {
      case CachePolicy.None _ -> {
        // What no cache means.
      }
      case CachePolicy.Prefix(int interval) -> policy.setPrefixRefreshInterval(interval);
      case CachePolicy.Dual(int interval) -> policy.setDualRefreshInterval(interval);
      case CachePolicy.Interval(int prompt, int generated, double ratio) ->
        policy.setInterval(IntervalCache.newBuilder()
            .setPromptInterval(prompt).setGenInterval(generated).setTransferRatio(ratio));
    }
    var draft = settings.draft();
    policy.addAllDraftPositions(IntStream.of(draft.positions()).boxed().toList())
        .addAllDraftIds(IntStream.of(draft.ids()).boxed().toList());
    settings.forwardsMax().ifPresent(policy::setMaxNfe);
    for (int[] stop : settings.stops()) {
      policy.addStops(StopIds.newBuilder().addAllIds(IntStream.of(stop).boxed().toList()));
    }
    for (var step : commits) {
      policy.addCommits(StepCommits.newBuilder().addAllPositions(step.stream().map(Choice::position).toList())
          .addAllIds(step.stream().map(Choice::id).toList()));
    }
    return policy.build();
  }

  private static FixedStrategy.Builder fixed(int steps, Schedule schedule) {
    var fixed = FixedStrategy.newBuilder().setSteps(steps);
    if (schedule instanceof Schedule.Shifted(double alpha)) {
      fixed.setShiftedAlpha(alpha);
    }
    return fixed;
  }
}
