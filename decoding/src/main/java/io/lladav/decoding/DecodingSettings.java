package io.lladav.decoding;

import java.util.List;

/// What one request chooses about the reverse process. The constructor refuses settings that do not fit
/// together with an [InvalidSettingException]; upper limits are the server's, not known here.
///
/// The arrays are copied in and out. Two settings are never equal by their arrays: do not use them as keys.
///
/// @param genLength generated positions, 1 or more
/// @param blockLength positions of a block; divides `genLength`
/// @param steps steps of the whole reply; a multiple of the number of blocks
/// @param temperature 0 takes the most likely id; above 0, candidates are drawn from
///     softmax(logits / temperature)
/// @param seed where the random numbers come from
/// @param cfgScale 0 means no guidance; above 0, logits are u + (cfgScale + 1)(c − u)
/// @param remasking what orders the candidates
/// @param stops id sequences that end the reply, looked for in this order; may be empty, none of them is
/// @param suffix ids of the fixed text behind the generated positions; may be empty
@SuppressWarnings("ArrayRecordComponent") // ids stay primitive; the copies keep the record a value
public record DecodingSettings(int genLength, int blockLength, int steps, double temperature, long seed,
    double cfgScale, Remasking remasking, List<int[]> stops, int[] suffix) {
  /// Far beyond use, and far from where single precision overflows.
  private static final double STRENGTH_MAX = 1000;

  /// Validates and copies.
  public DecodingSettings {
    require(genLength >= 1, "gen_length", genLength, "1..");
    require(blockLength >= 1 && genLength % blockLength == 0, "block_length", blockLength,
        "a divisor of gen_length %d".formatted(genLength));
    int blocks = genLength / blockLength;
    require(steps >= 1 && steps % blocks == 0, "steps", steps,
        blocks == 1 ? "1.." : "a multiple of %d, the number of blocks".formatted(blocks));
    require(temperature >= 0 && temperature <= STRENGTH_MAX, "temperature", temperature, "0..1000");
    require(cfgScale >= 0 && cfgScale <= STRENGTH_MAX, "cfg_scale", cfgScale, "0..1000");
    for (int i = 0; i < stops.size(); i++) {
      require(stops.get(i).length > 0, "stop[%d]".formatted(i), "no tokens", "1 token or more");
    }
    stops = copy(stops);
    suffix = suffix.clone();
  }

  @Override
  public List<int[]> stops() {
    return copy(stops);
  }

  @Override
  public int[] suffix() {
    return suffix.clone();
  }

  /// Number of blocks of the reply.
  public int blocks() {
    return genLength / blockLength;
  }

  /// Steps of each block.
  public int stepsPerBlock() {
    return steps / blocks();
  }

  private static List<int[]> copy(List<int[]> stops) {
    return stops.stream().map(int[]::clone).toList();
  }

  private static void require(boolean valid, String field, Object value, String expected) {
    if (!valid) {
      throw new InvalidSettingException(field, value, expected);
    }
  }
}
