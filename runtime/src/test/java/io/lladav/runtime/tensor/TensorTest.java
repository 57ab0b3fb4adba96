package io.lladav.runtime.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import io.lladav.internal.tensor.v1.DataType;
import io.lladav.internal.tensor.v1.TensorChunk;
import io.lladav.runtime.ServiceException.InvalidRequest;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorTest {
  private static final TensorChunk TWO_ROWS = TensorChunk.newBuilder().setDataType(DataType.DATA_TYPE_FLOAT32)
      .addShape(2).addShape(3).setData(ByteString.copyFrom(new byte[24])).build();

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 7", "1152, 729", "4096, 200", "262144, 3"})
  void readsWhatItWrote(int columns, int rows) {
    var values = random(columns * rows);
    var reader = new TensorReader("features", columns, rows);
    var read = FloatBuffer.allocate(values.length);

    for (var chunk : new TensorWriter(columns).write(FloatBuffer.wrap(values))) {
      assertThat(chunk.getData().size()).isLessThanOrEqualTo(TensorWriter.CHUNK_BYTES_MAX);
      read.put(reader.read(chunk));
    }

    assertThat(read.array()).isEqualTo(values);
    assertThat(reader.isComplete()).isTrue();
  }

  @Test
  void numbersTheRowsOfPiecesOnward() {
    var writer = new TensorWriter(2);

    var chunks = new ArrayList<TensorChunk>();
    writer.write(FloatBuffer.wrap(random(6))).forEach(chunks::add);
    writer.write(FloatBuffer.wrap(random(4))).forEach(chunks::add);

    assertThat(chunks).extracting(TensorChunk::getFirstRow).containsExactly(0L, 3L);
  }

  @Test
  void writesOnlyWhatLiesBetweenPositionAndLimit() {
    var rows = FloatBuffer.wrap(new float[]{1, 2, 3, 4, 5, 6}).position(2).limit(4);

    var chunks = List.copyOf(asList(new TensorWriter(2).write(rows)));

    assertThat(new TensorReader("x", 2, 1).read(chunks.getFirst()))
        .isEqualTo(FloatBuffer.wrap(new float[]{3, 4}));
    assertThat(chunks).hasSize(1);
    assertThat(rows.position()).isEqualTo(2);
  }

  @Test
  void writesLittleEndian() {
    var chunk = asList(new TensorWriter(1).write(FloatBuffer.wrap(new float[]{1}))).getFirst();

    assertThat(chunk.getData().toByteArray()).containsExactly(0, 0, 0x80, 0x3f);
  }

  @Test
  void refusesPartsOfRows() {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> new TensorWriter(2).write(FloatBuffer.allocate(3)))
        .withMessage("rows: 3 elements (expected: a multiple of 2 columns)");
  }

  @Test
  void refusesRowsThatFitNoChunk() {
    assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> new TensorWriter(262_145))
        .withMessage("columns: 262145 (expected: 1..262144)");
  }

  @Test
  void refusesOtherTypes() {
    refuses(TWO_ROWS.toBuilder().clearDataType(), "data_type",
        "features.data_type: 0 (expected: DATA_TYPE_FLOAT32)");
  }

  @Test
  void refusesOtherRanks() {
    refuses(TWO_ROWS.toBuilder().addShape(1), "shape",
        "features.shape: [2, 3, 1] (expected: rows and columns)");
  }

  @Test
  void refusesOtherColumns() {
    refuses(TWO_ROWS.toBuilder().setShape(1, 4), "shape[1]", "features.shape[1]: 4 (expected: 3)");
  }

  @Test
  void refusesGaps() {
    refuses(TWO_ROWS.toBuilder().setFirstRow(1), "first_row", "features.first_row: 1 (expected: 0)");
  }

  @Test
  void refusesMoreRowsThanTheTensorHas() {
    refuses(TWO_ROWS.toBuilder().setShape(0, 6), "shape[0]", "features.shape[0]: 6 (expected: 1..5)");
    refuses(TWO_ROWS.toBuilder().setShape(0, Long.MAX_VALUE), "shape[0]",
        "features.shape[0]: 9223372036854775807 (expected: 1..5)");
  }

  @Test
  void refusesEmptyChunks() {
    refuses(TWO_ROWS.toBuilder().setShape(0, 0), "shape[0]", "features.shape[0]: 0 (expected: 1..5)");
  }

  @Test
  void refusesDataOfAnotherLength() {
    refuses(TWO_ROWS.toBuilder().setData(ByteString.copyFrom(new byte[20])), "data",
        "features.data: 20 bytes (expected: 24)");
  }

  @Test
  void refusesChunksOfMoreThanOneMebibyte() {
    var chunk = TensorChunk.newBuilder().setDataType(DataType.DATA_TYPE_FLOAT32).addShape(262_145).addShape(1)
        .setData(ByteString.copyFrom(new byte[4 * 262_145])).build();

    assertThatExceptionOfType(InvalidRequest.class)
        .isThrownBy(() -> new TensorReader("x", 1, 1 << 20).read(chunk))
        .withMessage("x.shape[0]: 262145 (expected: 1..262144)");
  }

  @Test
  void refusesRowsAfterTheLast() {
    var reader = new TensorReader("x", 3, 2);
    reader.read(TWO_ROWS);

    assertThatExceptionOfType(InvalidRequest.class)
        .isThrownBy(() -> reader.read(TWO_ROWS.toBuilder().setFirstRow(2).build()))
        .withMessage("x.shape[0]: 2 (expected: no more rows)");
  }

  private static void refuses(TensorChunk.Builder chunk, String part, String message) {
    assertThatExceptionOfType(InvalidRequest.class)
        .isThrownBy(() -> new TensorReader("features", 3, 5).read(chunk.build())).withMessage(message)
        .satisfies(e -> assertThat(e.field()).isEqualTo("features." + part));
  }

  private static List<TensorChunk> asList(Iterable<TensorChunk> chunks) {
    return StreamSupport.stream(chunks.spliterator(), false).toList();
  }

  private static float[] random(int count) {
    var random = new Random(count);
    var values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat();
    }
    return values;
  }
}
