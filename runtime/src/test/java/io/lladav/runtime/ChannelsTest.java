package io.lladav.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class ChannelsTest {
  @Test
  void sendsNoCallToAProcessThatIsNotServing() {
    try (var process = TestingService.start(); var client = TestingChannel.own(process)) {
      process.add(new TestingService(text -> text));

      ServiceProcessTest.assertFails(client, "hello", Status.Code.UNAVAILABLE, "NOT_SERVING");
    }
  }

  @Test
  void reachesAProcessThatServes() {
    try (var process = TestingService.serve(text -> text); var client = TestingChannel.own(process)) {
      assertThat(TestingService.ask(client.channel(), "hello")).isEqualTo("hello");
    }
  }
}
