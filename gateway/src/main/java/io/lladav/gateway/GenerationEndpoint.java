package io.lladav.gateway;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.runtime.Handlers;
import io.lladav.v1.CountTokensRequest;
import io.lladav.v1.CountTokensResponse;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc.GenerationServiceImplBase;
import io.lladav.v1.GetModelRequest;
import io.lladav.v1.GetModelResponse;
import java.util.function.Consumer;

/// The public API on the wire.
final class GenerationEndpoint extends GenerationServiceImplBase {
  private final Admission admission;
  private final RequestParser parser;
  private final Answers answers;
  private final TokenCounter tokenCounter;
  private final GetModelResponse model;

  /// @param model the answer to `GetModel`; nothing in it changes while the process runs
  GenerationEndpoint(Admission admission, RequestParser parser, Answers answers, TokenCounter tokenCounter,
      GetModelResponse model) {
    this.admission = admission;
    this.parser = parser;
    this.answers = answers;
    this.tokenCounter = tokenCounter;
    this.model = model;
  }

  @Override
  public void generate(GenerateRequest wire, StreamObserver<GenerateResponse> responses) {
    Handlers.run(responses, () -> {
      var call = (ServerCallStreamObserver<GenerateResponse>) responses;
      try (var _ = admission.enter()) {
        var request = parser.parse(wire);
        try (var _ = admission.enter(request.answers() - 1)) {
          // Answers share the call, which takes one message at a time.
          Consumer<GenerateResponse> out = message -> {
            synchronized (call) {
              call.onNext(message);
            }
          };
          answers.run(request,
              (answer, own) -> new EventWriter(own, model.getIdentity(), answer, call::isReady, out)::write);
        }
      }
      responses.onCompleted();
    });
  }

  @Override
  public void countTokens(CountTokensRequest wire, StreamObserver<CountTokensResponse> responses) {
    Handlers.run(responses, () -> {
      responses.onNext(tokenCounter.count(wire));
      responses.onCompleted();
    });
  }

  @Override
  public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> responses) {
    responses.onNext(model);
    responses.onCompleted();
  }
}
