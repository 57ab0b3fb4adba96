package io.lladav.triton;

import java.time.Duration;

/// What a server has counted for one version of a model since it was loaded.
///
/// @param model the model's name
/// @param version its version
/// @param inferences requests run, each counted with its batch size
/// @param executions runs of the model; inferences over executions is the mean batch
/// @param success requests answered, and their time in the server
/// @param failure requests that failed, and their time in the server
/// @param queue time spent waiting
/// @param computeInput time spent preparing inputs
/// @param computeInfer time spent in the model
/// @param computeOutput time spent preparing outputs
public record ModelStatistics(String model, String version, long inferences, long executions, Total success,
    Total failure, Total queue, Total computeInput, Total computeInfer, Total computeOutput) {
  /// How often something happened, and how long it took altogether.
  public record Total(long count, Duration time) {}
}
