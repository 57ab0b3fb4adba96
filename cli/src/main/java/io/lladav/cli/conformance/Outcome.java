package io.lladav.cli.conformance;

import java.util.Optional;

/// What became of one case.
public sealed interface Outcome {
  /// Everything compared agrees.
  record Passed() implements Outcome {}

  /// Something differs, or the request failed.
  ///
  /// @param difference the first difference
  record Failed(String difference) implements Outcome {}

  /// Each reply agrees with the reference, and they differ from each other by more than rounding: beside other requests
  /// another reply is made than alone.
  ///
  /// @param difference the first difference
  record Inconsistent(String difference) implements Outcome {}

  /// It was not replayed.
  ///
  /// @param reason what it needs and is not there
  record Skipped(String reason) implements Outcome {}

  /// It was replayed but counts neither way, since rounding decides it.
  ///
  /// @param difference the first difference, if there is one
  record Fragile(Optional<String> difference) implements Outcome {}
}
