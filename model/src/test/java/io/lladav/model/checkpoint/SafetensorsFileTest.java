package io.lladav.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lladav.model.CheckpointException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
  private static final Path SAMPLE = Path.of(System.getProperty("conformance.dir"),
      "checkpoints/tiny-d/model.safetensors");

  @TempDir
  private Path temporary;

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '\'', textBlock = """
      {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}      | ok
      {"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}} | ok
      {"__metadata__":{"x":"y"},"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}} | ok
      {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}     | truncated: a ends at byte 12 of the data, but only 8
      {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}      | a: F32 of shape [3] does not fill bytes 0..8
      {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      | 4 bytes follow the last tensor
      {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}      | a begins at byte 4 of the data (expected: 0
      {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}      | data_offsets: [8, 0] (expected: [begin, end])
      {"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}     | whole numbers >= 0
      {"a":{"dtype":"F32","shape":[4611686018427387904,4,2],"data_offsets":[0,8]}} | does not fill
      {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}} | truncated
      {"a":{"dtype":"F12","shape":[2],"data_offsets":[0,8]}}      | dtype: "F12"
      {"a":{"shape":[2],"data_offsets":[0,8]}}                    | dtype: ""
      {"a":7}                                                     | a: dtype
      {"a":{"dtype":"F32","data_offsets":[0,8]}}                  | a: shape is missing or no list
      {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | Duplicate
      [1,2]                                                       | header is not a JSON object
      {"a":                                                       | header is not valid JSON
      """)
  void checksTheHeader(String header, String outcome) throws IOException {
    var bytes = Safetensors.withLength(header);
    var file = Files.write(temporary.resolve("model.safetensors"), Arrays.copyOf(bytes, bytes.length + 8));
    try (var arena = Arena.ofConfined()) {
      if (outcome.equals("ok")) {
        assertThat(SafetensorsFile.read(file, arena)).containsKey("a");
      } else {
        assertThatExceptionOfType(CheckpointException.class)
            .isThrownBy(() -> SafetensorsFile.read(file, arena)).withMessageStartingWith(file.toString())
            .withMessageContaining(outcome);
      }
    }
  }

  @Test
  void refusesFilesShorterThanTheirHeader() throws IOException {
    var whole = Files.readAllBytes(SAMPLE);
    for (int length : new int[]{0, 7, 8, 9, 100, whole.length - 1}) {
      var file = Files.write(temporary.resolve("cut-" + length), Arrays.copyOf(whole, length));
      try (var arena = Arena.ofConfined()) {
        assertThatExceptionOfType(CheckpointException.class)
            .isThrownBy(() -> SafetensorsFile.read(file, arena))
            .withMessageContaining("copy the file again");
      }
    }
  }

  @Test
  void refusesAHeaderLengthThatWouldFillTheHeap() throws IOException {
    var file = Files.write(temporary.resolve("huge"), new byte[]{-1, -1, -1, -1, -1, -1, -1, -1, '{', '}'});
    try (var arena = Arena.ofConfined()) {
      assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> SafetensorsFile.read(file, arena))
          .withMessageContaining("header of 18446744073709551615 bytes (expected: 2..16777216)");
    }
  }

  @Test
  void mutatedHeadersGiveTensorsOrACheckpointException() throws IOException {
    var whole = Files.readAllBytes(SAMPLE);
    int headerEnd = 8 + (whole[0] & 0xff) + (whole[1] & 0xff) * 256;
    var random = new Random(11);
    int refused = 0;
    for (int round = 0; round < 2000; round++) {
      var mutated = whole.clone();
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        mutated[random.nextInt(headerEnd)] = (byte) random.nextInt(256);
      }
      var file = Files.write(temporary.resolve("mutated"), mutated);
      try (var arena = Arena.ofConfined()) {
        SafetensorsFile.read(file, arena);
      } catch (CheckpointException e) {
        assertThat(e).hasMessageStartingWith(file.toString());
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(500);
  }
}
