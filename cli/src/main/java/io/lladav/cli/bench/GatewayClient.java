package io.lladav.cli.bench;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.lladav.v1.DecodingSettings;
import io.lladav.v1.Finished;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerationServiceGrpc;
import io.lladav.v1.Image;
import io.lladav.v1.Message;
import io.lladav.v1.Part;
import io.lladav.v1.Role;
import io.lladav.v1.Started;
import io.lladav.v1.StopStrings;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Asks a gateway for generations, as any client does.
final class GatewayClient implements AutoCloseable {
  private static final int CLOSE_SECONDS = 5;

  private final ManagedChannel channel;

  /// @param target host and port
  GatewayClient(String target) {
    channel = ManagedChannelBuilder.forTarget(target).usePlaintext().build();
  }

  /// A reply.
  ///
  /// @param seconds from the request to the last event, here
  record Reply(Started started, Finished finished, double seconds) {}

  /// A request whose reply nothing ends early.
  static GenerateRequest request(String text, DecodingSettings.Builder decoding) {
    return request(text, null, decoding);
  }

  /// Returns the request with a system message of its own in the place of the model's.
  static GenerateRequest withSystem(String system, GenerateRequest request) {
    return request.toBuilder().addMessages(0,
        Message.newBuilder().setRole(Role.ROLE_SYSTEM).addParts(Part.newBuilder().setText(system))).build();
  }

  /// @param picture bytes of a picture file before the text
  static GenerateRequest request(String text, byte @Nullable [] picture, DecodingSettings.Builder decoding) {
    var message = Message.newBuilder().setRole(Role.ROLE_USER);
    if (picture != null) {
      message.addParts(Part.newBuilder().setImage(Image.newBuilder().setData(ByteString.copyFrom(picture))));
    }
    return GenerateRequest.newBuilder().addMessages(message.addParts(Part.newBuilder().setText(text)))
        .setDecoding(decoding.setSeed(1).setStop(StopStrings.getDefaultInstance())).build();
  }

  /// Asks, and waits for the last event.
  ///
  /// @throws io.grpc.StatusRuntimeException as the gateway refuses or fails
  Reply generate(GenerateRequest request) {
    long begin = System.nanoTime();
    Started started = Started.getDefaultInstance();
    Finished finished = Finished.getDefaultInstance();
    var events = GenerationServiceGrpc.newBlockingStub(channel).generate(request);
    while (events.hasNext()) {
      var event = events.next();
      if (event.hasStarted()) {
        started = event.getStarted();
      } else if (event.hasFinished()) {
        finished = event.getFinished();
      }
    }
    return new Reply(started, finished, Interleaved.secondsSince(begin));
  }

  /// Asks for all, never more than `streams` at the same time, and waits for all.
  ///
  /// @throws io.grpc.StatusRuntimeException as the gateway refuses or fails one
  List<Reply> generate(List<GenerateRequest> requests, int streams) throws InterruptedException {
    try (ExecutorService workers = Executors.newFixedThreadPool(streams)) {
      var replies = new ArrayList<Reply>();
      var tasks = requests.stream().map(request -> (Callable<Reply>) () -> generate(request)).toList();
      for (var task : workers.invokeAll(tasks)) {
        replies.add(task.get());
      }
      return replies;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    try {
      channel.shutdownNow().awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
