package io.lladav.engine.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.lladav.triton.DataType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Holds the tensors that are sent and read here against those that the models declare.
final class ModelConfigsTest {
  private static final Pattern TENSOR = Pattern
      .compile("\\{ name: \"(\\w+)\" data_type: TYPE_(\\w+) dims: \\[ ([-\\d, ]+) ]");

  static Stream<Arguments> models() {
    return Stream.of(
        arguments(Siglip2Model.NAME, Siglip2Model.INPUTS, Siglip2Model.OUTPUTS),
        arguments(ProjectorModel.NAME, ProjectorModel.INPUTS, ProjectorModel.OUTPUTS),
        arguments(LladaModel.NAME, LladaModel.INPUTS, LladaModel.OUTPUTS));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("models")
  void declaresTheTensorsUsedHere(String model, List<ModelTensor> inputs, List<ModelTensor> outputs)
      throws IOException {
    var config = Files.readString(Path.of("../deploy/triton/models", model, "config.pbtxt"));
    int output = config.indexOf("output [");

    assertThat(config).startsWith("name: \"" + model + "\"");
    assertThat(tensors(config.substring(0, output))).containsExactlyInAnyOrderElementsOf(inputs);
    assertThat(tensors(config.substring(output))).containsExactlyInAnyOrderElementsOf(outputs);
  }

  private static List<ModelTensor> tensors(String text) {
    var tensors = new ArrayList<ModelTensor>();
    var matcher = TENSOR.matcher(text);
    while (matcher.find()) {
      var type = matcher.group(2).equals("STRING") ? DataType.BYTES : DataType.valueOf(matcher.group(2));
      var dims = Stream.of(matcher.group(3).split(",")).map(dim -> Integer.valueOf(dim.strip())).toList();
      tensors.add(new ModelTensor(matcher.group(1), type, dims));
    }
    return tensors;
  }
}
