package io.lladav.gateway;

import io.lladav.decoding.RandomNumbers;
import io.lladav.internal.debug.v1.RecordedNumbers;
import io.lladav.runtime.ServiceException.InvalidRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Random numbers of which those that order positions were recorded elsewhere.
///
/// @param steps for each step, the number of each position
/// @param candidates where all other numbers come from
record RecordedOrder(List<Map<Integer, Double>> steps, RandomNumbers candidates) implements RandomNumbers {
  RecordedOrder {
    steps = List.copyOf(steps);
  }

  /// Reads recorded numbers.
  ///
  /// @throws InvalidRequest if positions and numbers do not pair up
  static RecordedOrder of(List<RecordedNumbers> recorded, RandomNumbers candidates) {
    return new RecordedOrder(recorded.stream().map(RecordedOrder::step).toList(), candidates);
  }

  private static Map<Integer, Double> step(RecordedNumbers recorded) {
    if (recorded.getPositionsCount() != recorded.getNumbersCount()) {
      throw new InvalidRequest("order_numbers", "order_numbers: %d positions, %d numbers (expected: as many)"
          .formatted(recorded.getPositionsCount(), recorded.getNumbersCount()));
    }
    var step = new HashMap<Integer, Double>();
    for (int i = 0; i < recorded.getPositionsCount(); i++) {
      step.put(recorded.getPositions(i), recorded.getNumbers(i));
    }
    return step;
  }

  @Override
  public double candidateNumber(int step, int position) {
    return candidates.candidateNumber(step, position);
  }

  /// @throws InvalidRequest if nothing was recorded for this step and position
  @Override
  public double orderNumber(int step, int position) {
    Double number = step < steps.size() ? steps.get(step).get(position) : null;
    if (number == null) {
      throw new InvalidRequest("order_numbers",
          "order_numbers: none for step %d, position %d (expected: one per candidate)".formatted(step,
              position));
    }
    return number;
  }
}
