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
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// The public API on the wire.
final class GenerationEndpoint extends GenerationServiceImplBase {
  private final Admission admission;
  private final RequestParser parser;
  private final Answers answers;
  private final SharedReplies sharedReplies;
  private final TokenCounter tokenCounter;
  private final GetModelResponse model;

  /// @param model the answer to `GetModel`; nothing in it changes while the process runs
  GenerationEndpoint(Admission admission, RequestParser parser, Answers answers, SharedReplies sharedReplies,
      TokenCounter tokenCounter,
      GetModelResponse model) {
    this.admission = admission;
    this.parser = parser;
    this.answers = answers;
    this.sharedReplies = sharedReplies;
    this.tokenCounter = tokenCounter;
    this.model = model;
  }

  @Override
  public void generate(GenerateRequest wire, StreamObserver<GenerateResponse> responses) {
    Handlers.run(responses, () -> {
      var call = (ServerCallStreamObserver<GenerateResponse>) responses;
      if (parser.idempotencyKey(wire).isEmpty()) {
        generate(wire, call::isReady, call::onNext);
      } else {
        sharedReplies.follow(wire, out -> generate(wire, () -> true, out), call::onNext);
      }
      responses.onCompleted();
    });
  }

  private void generate(GenerateRequest wire, BooleanSupplier ready, Consumer<GenerateResponse> out)
      throws Exception {
    int count = parser.answers(wire);
    long bytes = wire.getSerializedSize();
    admission.requireRoom(count, bytes);
    // What cannot be answered is refused now, and not after waiting.
    var request = parser.parse(wire);
    try (var _ = admission.enter(count, bytes)) {
      var lock = new ReentrantLock();
      // Answers share the call, which takes one message at a time.
      Consumer<GenerateResponse> oneByOne = message -> {
        lock.lock();
        try {
          out.accept(message);
        } finally {
          lock.unlock();
        }
      };
      answers.run(request,
          (answer, own) -> new EventWriter(own, model.getIdentity(), answer, ready, oneByOne)::write);
    }
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
