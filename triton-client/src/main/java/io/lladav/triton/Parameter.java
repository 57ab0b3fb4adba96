package io.lladav.triton;

/// The value of a parameter of a request or response.
///
/// Triton itself reads `sequence_id` ([Int64] or [Text]), `sequence_start` and `sequence_end` ([Bool]), `priority`
/// ([Int64] or [Uint64]), `timeout` ([Int64], microseconds) and `triton_enable_empty_final_response` ([Bool]); other
/// names reach the model.
public sealed interface Parameter {
  /// A truth value.
  record Bool(boolean value) implements Parameter {}

  /// A signed number.
  record Int64(long value) implements Parameter {}

  /// An unsigned number, its bits in a long.
  record Uint64(long value) implements Parameter {}

  /// A floating-point number.
  record Float64(double value) implements Parameter {}

  /// A text.
  record Text(String value) implements Parameter {}
}
