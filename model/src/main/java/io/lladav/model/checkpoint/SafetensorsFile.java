package io.lladav.model.checkpoint;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the header of a safetensors file: 8 bytes of header length, a JSON object of tensor descriptions, and
/// then the tensors' bytes without gaps.
final class SafetensorsFile {
  private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);
  /// Far above any real header (the published model: 60 kB), far below what would fill the heap.
  private static final long HEADER_BYTES_MAX = 16 << 20;
  private static final JsonMapper JSON = JsonMapper
      .builder(JsonFactory.builder().streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8)
          .build()).build())
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .build();

  private final Path path;
  private final MemorySegment file;

  private SafetensorsFile(Path path, MemorySegment file) {
    this.path = path;
    this.file = file;
  }

  /// Maps `path` into `arena` and returns its tensors by name.
  ///
  /// @throws CheckpointException if the file is missing, truncated, or its header contradicts itself
  static Map<String, Tensor> read(Path path, Arena arena) {
    try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return new SafetensorsFile(path,
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena)).tensors();
    } catch (NoSuchFileException e) {
      throw new CheckpointException(path + ": no such file; copy the complete checkpoint directory", e);
    } catch (IOException e) {
      throw new CheckpointException(path + ": cannot be read (" + e + ")", e);
    }
  }

  private Map<String, Tensor> tensors() {
    require(file.byteSize() >= 8,
        "%s bytes long, too short for a header; copy the file again".formatted(file.byteSize()));
    var headerBytes = file.get(LENGTH, 0);
    require(headerBytes >= 2 && headerBytes <= HEADER_BYTES_MAX, "header of %s bytes (expected: 2..%s)"
        .formatted(Long.toUnsignedString(headerBytes), HEADER_BYTES_MAX));
    require(headerBytes <= file.byteSize() - 8,
        "truncated: %s bytes long, but its header alone takes %s; copy the file again".formatted(
            file.byteSize(),
            headerBytes + 8));
    var header = parse(new String(file.asSlice(8, headerBytes).toArray(ValueLayout.JAVA_BYTE), UTF_8));
    var data = file.asSlice(8 + headerBytes);
    var spans = new ArrayList<Span>();
    for (var entry : header.properties()) {
      if (!entry.getKey().equals("__metadata__")) {
        spans.add(span(entry.getKey(), entry.getValue(), data.byteSize()));
      }
    }
    requireGapless(spans, data.byteSize());
    var tensors = new LinkedHashMap<String, Tensor>();
    spans.forEach(s -> tensors.put(s.name, s.tensor(data)));
    return tensors;
  }

  private JsonNode parse(String json) {
    try {
      var header = JSON.readTree(json);
      require(header.isObject(), "header is not a JSON object");
      return header;
    } catch (JsonProcessingException e) {
      throw failure("header is not valid JSON (" + e.getOriginalMessage() + ")");
    }
  }

  private Span span(String name, JsonNode description, long dataBytes) {
    var type = type(name, description.path("dtype").asText());
    var offsets = numbers(name, "data_offsets", description.path("data_offsets"));
    require(offsets.size() == 2 && offsets.get(0) <= offsets.get(1),
        "%s: data_offsets: %s (expected: [begin, end])".formatted(name, offsets));
    require(offsets.get(1) <= dataBytes,
        "truncated: %s ends at byte %s of the data, but only %s are there; copy the file again".formatted(
            name,
            offsets.get(1), dataBytes));
    var span = new Span(name, type, numbers(name, "shape", description.path("shape")), offsets.get(0),
        offsets.get(1));
    require(byteCount(span) == span.end - span.begin,
        "%s: %s of shape %s does not fill bytes %s..%s".formatted(name, type, span.shape, span.begin,
            span.end));
    return span;
  }

  private TensorType type(String name, String dtype) {
    for (var type : TensorType.values()) {
      if (type.name().equals(dtype)) {
        return type;
      }
    }
    throw failure(
        "%s: dtype: \"%s\" (expected one of %s)".formatted(name, dtype, List.of(TensorType.values())));
  }

  private List<Long> numbers(String name, String field, JsonNode array) {
    require(array.isArray(), "%s: %s is missing or no list".formatted(name, field));
    var numbers = new ArrayList<Long>();
    for (var number : array) {
      require(number.isIntegralNumber() && number.canConvertToLong() && number.longValue() >= 0,
          "%s: %s: %s (expected: whole numbers >= 0)".formatted(name, field, array));
      numbers.add(number.longValue());
    }
    return numbers;
  }

  private static long byteCount(Span span) {
    try {
      long count = span.type.bytesPerElement();
      for (var size : span.shape) {
        count = Math.multiplyExact(count, size);
      }
      return count;
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  private void requireGapless(List<Span> spans, long dataBytes) {
    spans.sort(Comparator.comparingLong(Span::begin).thenComparingLong(Span::end));
    long end = 0;
    for (var span : spans) {
      require(span.begin == end,
          "%s begins at byte %s of the data (expected: %s, where the one before it ends)".formatted(span.name,
              span.begin, end));
      end = span.end;
    }
    require(end == dataBytes,
        "%s bytes follow the last tensor; copy the file again".formatted(dataBytes - end));
  }

  private void require(boolean holds, String message) {
    if (!holds) {
      throw failure(message);
    }
  }

  private CheckpointException failure(String message) {
    return new CheckpointException(path + ": " + message);
  }

  private record Span(String name, TensorType type, List<Long> shape, long begin, long end) {
    Tensor tensor(MemorySegment data) {
      return new Tensor(name, type, shape, data.asSlice(begin, end - begin));
    }
  }
}
