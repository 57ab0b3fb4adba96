package io.lladav.runtime;

import static io.lladav.runtime.TestingService.ask;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class RequestContextTest {
  private static final Metadata.Key<String> TRACEPARENT = Metadata.Key
      .of("traceparent", Metadata.ASCII_STRING_MARSHALLER);
  private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private final AtomicReference<@Nullable Metadata> answered = new AtomicReference<>();
  private final AtomicReference<@Nullable Metadata> trailers = new AtomicReference<>();

  @Test
  void carriesTheRequestIdThroughTwoServicesAndBack() {
    try (var behind = TestingService.serve(text -> text + " " + seen());
        var middle = TestingChannel.own(behind);
        var front = TestingService.serve(text -> ask(middle.channel(), text + " " + seen()));
        var client = TestingChannel.plain(front)) {
      var headers = new Metadata();
      headers.put(RequestContext.REQUEST_ID, "r-1");
      headers.put(TRACEPARENT, TRACE);

      var reply = ask(client.with(MetadataUtils.newAttachHeadersInterceptor(headers)), "seen");

      assertThat(reply).isEqualTo("seen r-1 %1$s r-1 %1$s".formatted(TRACE));
    }
  }

  @Test
  void returnsTheIdInTheResponseHeaders() {
    try (var process = TestingService.serve(text -> text); var client = TestingChannel.plain(process)) {
      ask(client.with(MetadataUtils.newCaptureMetadataInterceptor(answered, trailers)), "hello");

      assertThat(id(answered)).hasSize(36);
    }
  }

  @Test
  void returnsTheIdOfACallThatFailsAtOnce() {
    try (var process = TestingService.start(); var client = TestingChannel.plain(process)) {
      assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(() -> ask(client.channel(), "hello"))
          .satisfies(e -> assertThat(e.getTrailers()).isNotNull()
              .satisfies(metadata -> assertThat(metadata.get(RequestContext.REQUEST_ID)).hasSize(36)));
    }
  }

  @Test
  void aContextApartHoldsTheRequestAndNotTheCallersEnd() throws Exception {
    var request = new RequestContext("r-1", TRACE, null);
    try (var caller = Context.ROOT.withCancellation()) {
      var apart = request.attachTo(caller).call(RequestContext::apart);
      caller.cancel(null);

      assertThat(apart.isCancelled()).isFalse();
      assertThat(apart.call(RequestContext::current)).hasValue(request);
    }
    assertThat(Context.ROOT.call(RequestContext::apart)).isSameAs(Context.ROOT);
  }

  @Test
  void givesItsHeadersWithoutWhatNoHeaderCanHold() {
    var headers = new Metadata();
    headers.put(RequestContext.REQUEST_ID, "r-1");
    headers.put(TRACEPARENT, TRACE);
    headers.put(Metadata.Key.of("tracestate", Metadata.ASCII_STRING_MARSHALLER), "a=\u0001");

    assertThat(RequestContext.of(headers).headers())
        .isEqualTo(Map.of("lladav-request-id", "r-1", "traceparent", TRACE));
  }

  @Test
  void namesItsParts() {
    var request = new RequestContext("r-1", TRACE, null);

    assertThat(request.part(2)).isEqualTo(new RequestContext("r-1/2", TRACE, null));
    assertThat(new RequestContext("x".repeat(127), null, null).part(10).requestId())
        .isEqualTo("x".repeat(125) + "/10");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "with blank",
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"})
  void replacesAnUnusableId(String id) {
    var headers = new Metadata();
    headers.put(RequestContext.REQUEST_ID, id);

    assertThat(RequestContext.of(headers).requestId()).hasSize(36);
    assertThatIllegalArgumentException().isThrownBy(() -> new RequestContext(id, null, null));
  }

  private static String seen() {
    var request = RequestContext.current().orElseThrow();
    return request.requestId() + " " + request.traceparent();
  }

  private static @Nullable String id(AtomicReference<@Nullable Metadata> metadata) {
    var received = metadata.get();
    return received == null ? null : received.get(RequestContext.REQUEST_ID);
  }
}
