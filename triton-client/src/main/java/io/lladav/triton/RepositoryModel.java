package io.lladav.triton;

/// A model in a server's repository.
///
/// @param name the model's name
/// @param version its version, empty where it was never loaded
/// @param state `READY`, `UNAVAILABLE`, `LOADING`, `UNLOADING`, or empty where it was never loaded
/// @param reason why it is not ready, in the server's words
public record RepositoryModel(String name, String version, String state, String reason) {
  /// Whether it can be asked.
  public boolean isReady() { return state.equals("READY"); }
}
