package io.lladav.gateway;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.lladav.decoding.CounterRandom;
import io.lladav.runtime.Handlers;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerateResponse;
import io.lladav.v1.GenerationServiceGrpc.GenerationServiceImplBase;
import io.lladav.v1.GetModelRequest;
import io.lladav.v1.GetModelResponse;

/// The public API on the wire.
final class GenerationEndpoint extends GenerationServiceImplBase {
  private final RequestParser parser;
  private final Generator generator;
  private final GetModelResponse model;

  /// @param model the answer to `GetModel`; nothing in it changes while the process runs
  GenerationEndpoint(RequestParser parser, Generator generator, GetModelResponse model) {
    this.parser = parser;
    this.generator = generator;
    this.model = model;
  }

  @Override
  public void generate(GenerateRequest wire, StreamObserver<GenerateResponse> responses) {
    Handlers.run(responses, () -> {
      var call = (ServerCallStreamObserver<GenerateResponse>) responses;
      var request = parser.parse(wire);
      var events = new EventWriter(request, model.getIdentity(), call::isReady, responses::onNext);
      generator.run(request, new CounterRandom(request.decoding().sampling().seed()), events::write);
      responses.onCompleted();
    });
  }

  @Override
  public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> responses) {
    responses.onNext(model);
    responses.onCompleted();
  }
}
