package io.lladav.denoiser;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.StatusException;
import io.lladav.internal.denoiser.v1.DenoiserServiceGrpc.DenoiserServiceBlockingV2Stub;
import io.lladav.internal.denoiser.v1.OpenSession;
import io.lladav.internal.denoiser.v1.PromptSegment;
import io.lladav.internal.denoiser.v1.StepRequest;
import io.lladav.internal.denoiser.v1.StepResult;
import io.lladav.internal.denoiser.v1.TextSegment;
import io.lladav.v1.Attention;
import io.lladav.v1.ModelIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/// A recorded text-only request of one block without a stop, replayed as a gateway would.
///
/// @param json the file
record ConformanceText(JsonNode json) {
  /// What a step committed.
  record Commit(int position, int id, double confidence) {}

  static Path checkpoint(String name) {
    return root().resolve("checkpoints").resolve(name);
  }

  static ConformanceText read(String checkpoint, String name) throws IOException {
    return new ConformanceText(
        new ObjectMapper()
            .readTree(root().resolve("cases").resolve(checkpoint).resolve(name + ".json").toFile()));
  }

  private static Path root() {
    return Path.of(System.getProperty("conformance.dir"));
  }

  /// Sends every step with the recorded commits of the one before; returns what was answered.
  List<StepResult> replay(DenoiserServiceBlockingV2Stub client, ModelIdentity model, double temperature)
      throws InterruptedException, StatusException, java.util.concurrent.TimeoutException {
    var stream = client.denoise();
    stream.write(Messages.request(open(model).setTemperature(temperature)));
    stream.read();
    var results = new ArrayList<StepResult>();
    var masked = new TreeSet<>(IntStream.range(0, genLength()).boxed().toList());
    var committed = List.<Commit>of();
    for (var commits : steps()) {
      var step = StepRequest.newBuilder().setNumber(results.size()).addAllPositions(masked);
      committed.forEach(commit -> step.addCommittedPositions(commit.position()).addCommittedIds(commit.id()));
      for (int i = 0; i < masked.size() && temperature > 0; i++) {
        step.addUniforms((i + 0.5) / masked.size());
      }
      stream.write(Messages.request(step));
      results.add(stream.read().getStepResult());
      commits.forEach(commit -> masked.remove(commit.position()));
      committed = commits;
    }
    stream.halfClose();
    return results;
  }

  int genLength() {
    return json.at("/request/gen_length").intValue();
  }

  List<List<Commit>> steps() {
    return elements(json.at("/expect/steps")).stream().map(ConformanceText::commits).toList();
  }

  private OpenSession.Builder open(ModelIdentity model) {
    var ids = elements(json.at("/expect/input_ids")).stream().map(JsonNode::intValue).toList();
    return OpenSession.newBuilder().setModel(model).setGenLength(genLength())
        .addSegments(PromptSegment.newBuilder().setText(TextSegment.newBuilder().addAllIds(ids)))
        .setAttention(Attention.ATTENTION_FULL).setCfgScale(json.at("/request/cfg_scale").asDouble(0));
  }

  private static List<Commit> commits(JsonNode step) {
    return IntStream.range(0, step.get("positions").size())
        .mapToObj(i -> new Commit(step.at("/positions/" + i).intValue(), step.at("/ids/" + i).intValue(),
            step.at("/confidences/" + i).doubleValue()))
        .toList();
  }

  private static List<JsonNode> elements(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }
}
