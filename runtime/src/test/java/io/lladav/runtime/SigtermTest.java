package io.lladav.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class SigtermTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /// A service whose calls end when it drains.
  static final class Main {
    private Main() {}

    public static void main(String[] args) {
      var draining = new CountDownLatch(1);
      ServiceMain.of("vision", TestingConfig.defaults()).run(args, (_, process) -> {
        process.onDrain(draining::countDown);
        process.add(new TestingService(text -> {
          System.err.println("{\"message\": \"arrived\"}");
          draining.await();
          return text + " until drained";
        }));
      });
    }
  }

  @Test
  void drainsARealProcessAndExits() throws Exception {
    var child = start();
    try (var log = child.errorReader()) {
      var address = await(log, "listening").get("grpc").asText();
      await(log, "serving");
      var channel = NettyChannelBuilder.forTarget(address).usePlaintext().build();
      var reply = CompletableFuture.supplyAsync(() -> TestingService.ask(channel, "waits"));
      await(log, "arrived");

      // SIGTERM; the process's own method would close the log as well.
      child.toHandle().destroy();

      assertThat(reply.get(60, TimeUnit.SECONDS)).isEqualTo("waits until drained");
      assertThat(await(log, "call").get("code").asText()).isEqualTo("OK");
      await(log, "stopped");
      assertThat(child.waitFor()).isEqualTo(143);
      channel.shutdownNow();
    } finally {
      child.destroyForcibly();
    }
  }

  private static Process start() throws IOException {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    var command = new ArrayList<>(List.of(java, "--enable-native-access=ALL-UNNAMED", "-Xmx256m", "-cp",
        System.getProperty("java.class.path"), Main.class.getName()));
    var builder = new ProcessBuilder(command);
    builder.environment().put("LLADAV_VISION_GRPC_HOST", "127.0.0.1");
    builder.environment().put("LLADAV_VISION_GRPC_PORT", "0");
    builder.environment().put("LLADAV_VISION_METRICS_PORT", "0");
    return builder.start();
  }

  private static JsonNode await(BufferedReader log, String message) throws IOException {
    var seen = new ArrayList<String>();
    for (var line = log.readLine(); line != null; line = log.readLine()) {
      seen.add(line);
      if (line.startsWith("{") && JSON.readTree(line).get("message").asText().equals(message)) {
        return JSON.readTree(line);
      }
    }
    throw new AssertionError("no line says " + message + ": " + seen);
  }
}
