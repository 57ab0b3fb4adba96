package io.lladav.decoding;

/// What the candidates are drawn from. The constructor refuses values out of range with an [InvalidSettingException].
///
/// @param temperature 0 takes the most likely id; above 0, to 1000, candidates are drawn from
///     softmax(logits / temperature)
/// @param seed where the random numbers come from
/// @param cfgScale 0 means no guidance; above 0, to 1000, logits are u + (cfgScale + 1)(c − u)
public record Sampling(double temperature, long seed, double cfgScale) {
  public Sampling {
    requireStrength("temperature", temperature);
    requireStrength("cfg_scale", cfgScale);
  }

  private static void requireStrength(String field, double value) {
    if (!(value >= 0 && value <= DecodingSettings.STRENGTH_MAX)) {
      throw new InvalidSettingException(field, value, "0..1000");
    }
  }
}
