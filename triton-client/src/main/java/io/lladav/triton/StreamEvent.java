package io.lladav.triton;

/// What a stream brings: a response, or the failure of one request. Neither ends the stream.
public sealed interface StreamEvent {
  /// The id of the request; empty where it had none, or the server does not say.
  String id();

  /// Whether nothing more follows for the request, as far as the server says.
  boolean isFinal();

  /// A response.
  record Answered(InferResponse response) implements StreamEvent {
    @Override
    public String id() {
      return response.id();
    }

    @Override
    public boolean isFinal() { return response.isFinal(); }
  }

  /// The failure of a request. The stream sends no status codes, so [TritonException.ModelError#code] is empty.
  record Failed(String id, boolean isFinal, TritonException failure) implements StreamEvent {}
}
