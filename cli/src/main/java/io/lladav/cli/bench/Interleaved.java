package io.lladav.cli.bench;

import io.lladav.engine.embedded.EmbeddedRuntime;
import io.lladav.engine.embedded.MatrixProduct;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Measures arithmetic in turn with a large product, so that whatever else the machine does hits both alike.
final class Interleaved implements AutoCloseable {
  private static final int PRODUCT_WARM_UPS = 3;

  private final EmbeddedRuntime runtime;
  private final MatrixProduct product;
  private final List<Double> productSeconds = new ArrayList<>();

  Interleaved(EmbeddedRuntime runtime, Workload workload) {
    this.runtime = runtime;
    int columns = workload.arithmetic().productColumns();
    product = runtime.product(workload.arithmetic().shortRows(), columns, columns);
    for (int i = 0; i < PRODUCT_WARM_UPS; i++) {
      product.run();
    }
  }

  /// Something to measure.
  ///
  /// @param formulaOperations what it computes by formula; null if there is none
  record Work(Runnable run, @Nullable Long formulaOperations) {}

  /// What was measured of one work, by round.
  ///
  /// @param operations counted in the engine; by formula where it does not count
  /// @param productSeconds of the products just before and after, on average
  record Measured(Work work, long operations, List<Double> seconds, List<Double> productSeconds) {}

  /// Runs every work once, and then again in each round, in order.
  ///
  /// @param roundsMax how many
  /// @param secondsMax when so much time has passed, no further round begins
  List<Measured> measure(List<Work> works, int roundsMax, double secondsMax) {
    var measured = works.stream().map(this::warmUp).toList();
    var rounds = new Rounds(roundsMax, secondsMax);
    while (rounds.next()) {
      double before = runProduct();
      for (var each : measured) {
        each.seconds.add(seconds(each.work.run));
        double after = runProduct();
        each.productSeconds.add((before + after) / 2);
        before = after;
      }
    }
    return measured;
  }

  /// Returns the operations per second of all products so far.
  Spread productRate() {
    return Spread.of(productSeconds.stream().map(seconds -> product.operations() / seconds).toList());
  }

  /// Returns the rate of a work as a share of that of the product.
  Spread shareOfProduct(Measured measured) {
    var shares = new ArrayList<Double>();
    for (int i = 0; i < measured.seconds.size(); i++) {
      shares.add(measured.operations / measured.seconds.get(i)
          * (measured.productSeconds.get(i) / product.operations()));
    }
    return Spread.of(shares);
  }

  /// Returns the time of a work as a share of that of another in the same round.
  static Spread ratio(List<Double> seconds, List<Double> others) {
    var ratios = new ArrayList<Double>();
    for (int i = 0; i < seconds.size(); i++) {
      ratios.add(seconds.get(i) / others.get(i));
    }
    return Spread.of(ratios);
  }

  static double seconds(Runnable run) {
    long begin = System.nanoTime();
    run.run();
    return secondsSince(begin);
  }

  static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  @Override
  public void close() {
    product.close();
  }

  private Measured warmUp(Work work) {
    long before = runtime.operations();
    work.run.run();
    long counted = runtime.operations() - before;
    long operations = counted > 0 || work.formulaOperations == null ? counted : work.formulaOperations;
    return new Measured(work, operations, new ArrayList<>(), new ArrayList<>());
  }

  private double runProduct() {
    double seconds = seconds(product::run);
    productSeconds.add(seconds);
    return seconds;
  }
}
