package io.lladav.gateway;

import static io.lladav.gateway.Requests.image;
import static io.lladav.gateway.Requests.picture;
import static io.lladav.gateway.Requests.question;
import static io.lladav.gateway.Requests.text;
import static io.lladav.gateway.Requests.user;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.grpc.StatusException;
import io.lladav.v1.CountTokensRequest;
import io.lladav.v1.CountTokensResponse;
import io.lladav.v1.GenerateRequest;
import io.lladav.v1.GenerationServiceGrpc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class TokenCountTest {
  private final Cluster cluster;

  TokenCountTest() throws InterruptedException {
    cluster = Cluster.start();
  }

  @AfterEach
  void stop() {
    cluster.close();
  }

  @Test
  void countsWhatAGenerationReports() throws Exception {
    var request = Requests.of(user(image(picture("shapes-100x90.png")), text("What is this?")));
    request.getDecodingBuilder().setSuffix("The end.");

    var count = count(request);

    assertThat(cluster.denoiser.sessions).isEmpty();
    assertThat(cluster.vision.calls).isEmpty();
    var reply = cluster.client.generate(request);
    assertThat(count.getTextTokens() + count.getVisualTokens()).isEqualTo(reply.started().getPromptTokens());
    assertThat(count.getVisualsList()).isEqualTo(reply.started().getVisualsList());
    assertThat(count.getVisualTokens()).isEqualTo(count.getVisuals(0).getVisualTokens());
    assertThat(count.getGenLength()).isEqualTo(8);
    assertThat(count.getSuffixTokens()).isEqualTo(reply.ids().size() - 8);
    assertThat(count.getFits()).isTrue();
    assertThat(count.getCanvasPositionsMax()).isEqualTo(ScriptedDenoiser.CANVAS_POSITIONS_MAX);
  }

  @Test
  void saysOfTooLongAPromptThatItDoesNotFit() throws Exception {
    var count = count(question("word ".repeat(20_000)));

    assertThat(count.getFits()).isFalse();
    assertThat(count.getTextTokens()).isGreaterThan(20_000);
  }

  @Test
  void refusesWhatAGenerationWouldRefuse() {
    var unknown = question("a");
    unknown.getDecodingBuilder().setGenLength(-1);

    assertThatExceptionOfType(StatusException.class).isThrownBy(() -> count(unknown))
        .withMessageContaining("decoding.gen_length: -1 (expected: 1..4096)");
  }

  private CountTokensResponse count(GenerateRequest.Builder request) throws StatusException {
    return GenerationServiceGrpc.newBlockingV2Stub(cluster.client.channel())
        .countTokens(CountTokensRequest.newBuilder().addAllMessages(request.getMessagesList())
            .setDecoding(request.getDecoding()).build());
  }
}
