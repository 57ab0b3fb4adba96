package io.lladav.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// Builds the configuration record of one service from, lowest first, its defaults, a YAML file, the environment and the
/// command line.
///
/// Keys are the record's component names in kebab case. A component that is itself a record is a group, one
/// level deep: `grpc.port` here is `grpc: {port: …}` in the file and `LLADAV_VISION_GRPC_PORT` in the
/// environment of the service `vision`. Values are int, long, double, boolean, String, Path, Duration, URI,
/// an enum, or a list of String (separated by commas in the environment).
///
/// @param <C> the configuration record
public final class ConfigLoader<C extends Record> {
  private static final JsonMapper YAML = JsonMapper.builder(
      YAMLFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
          .build())
      .build();
  private static final Pattern HUMP = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");
  private static final int FILE_BYTES_MAX = 1 << 20;

  private final String environmentPrefix;
  private final C defaults;
  private final Map<String, Class<?>> types = new LinkedHashMap<>();

  /// Prepares the loading of one service's configuration.
  ///
  /// @param service the service's name in kebab case, for example `vision`
  /// @param defaults the value of every key that nobody sets
  /// @throws IllegalArgumentException if the record holds a type that cannot be configured
  public ConfigLoader(String service, C defaults) {
    this.environmentPrefix = "LLADAV_" + environmentName(service) + "_";
    this.defaults = defaults;
    collectTypes("", defaults.getClass());
  }

  /// Builds the record.
  ///
  /// @param file the YAML file, or null if there is none
  /// @param environment the process's environment; variables without this service's prefix are ignored
  /// @throws ConfigException naming the unknown key, the bad value or the unreadable file
  public C load(@Nullable Path file, Map<String, String> environment) {
    return load(file, environment, Map.of());
  }

  /// Builds the record.
  ///
  /// @param file the YAML file, or null if there is none
  /// @param environment the process's environment; variables without this service's prefix are ignored
  /// @param set values of `--set`, by key
  /// @throws ConfigException naming the unknown key, the bad value or the unreadable file
  C load(@Nullable Path file, Map<String, String> environment, Map<String, String> set) {
    var settings = new LinkedHashMap<String, Setting>();
    if (file != null) {
      readFile(file, settings);
    }
    readEnvironment(environment, settings);
    readSet(set, settings);
    return build("", defaults, settings);
  }

  /// Writes a configuration as the YAML text that would load as the same record.
  public String print(C config) {
    try {
      return YAML.writeValueAsString(toNode(config));
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Setting(JsonNode value, String source) {}

  private void collectTypes(String group, Class<?> record) {
    for (var component : record.getRecordComponents()) {
      var key = group + kebab(component.getName());
      if (component.getType().isRecord() && group.isEmpty()) {
        types.put(key, component.getType());
        collectTypes(key + ".", component.getType());
      } else {
        types.put(key, requireConfigurable(key, component.getType()));
      }
    }
  }

  private static Class<?> requireConfigurable(String key, Class<?> type) {
    var known = List.<Class<?>>of(int.class, long.class, double.class, boolean.class, String.class,
        Path.class,
        Duration.class, URI.class, List.class);
    if (!type.isEnum() && !known.contains(type)) {
      throw new IllegalArgumentException(key + ": " + type + " cannot be configured");
    }
    return type;
  }

  private void readFile(Path file, Map<String, Setting> settings) {
    var root = parseFile(file);
    if (root.isMissingNode() || root.isNull()) {
      return;
    }
    if (!root.isObject()) {
      throw new ConfigException(file + ": " + root.getNodeType() + " (expected: keys and values)");
    }
    readGroup("", root, file, settings);
  }

  private static JsonNode parseFile(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new ConfigException(
            "%s: %d bytes (expected: 0..%d)".formatted(file, Files.size(file), FILE_BYTES_MAX));
      }
      return YAML.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      var where = e.getLocation() == null ? "" : ", line " + e.getLocation().getLineNr();
      throw new ConfigException(file + where + ": " + e.getOriginalMessage().lines().findFirst().orElse(""));
    } catch (NoSuchFileException e) {
      throw new ConfigException(file + ": there is no such file");
    } catch (IOException e) {
      throw new ConfigException(file + ": cannot be read: " + e.getMessage());
    }
  }

  private void readGroup(String group, JsonNode node, Path file, Map<String, Setting> settings) {
    node.properties().forEach(entry -> {
      var key = group + entry.getKey();
      var type = types.get(key);
      if (type == null) {
        throw unknown(file + ": " + key, List.copyOf(types.keySet()));
      }
      if (type.isRecord() && entry.getValue().isObject()) {
        readGroup(key + ".", entry.getValue(), file, settings);
      } else {
        settings.put(key, new Setting(entry.getValue(), file.toString()));
      }
    });
  }

  private void readEnvironment(Map<String, String> environment, Map<String, Setting> settings) {
    var keys = new LinkedHashMap<String, String>();
    keysOfValues().forEach(key -> keys.put(environmentPrefix + environmentName(key), key));
    environment.forEach((name, text) -> {
      if (!name.startsWith(environmentPrefix)) {
        return;
      }
      var key = keys.get(name);
      if (key == null) {
        throw unknown(name, keys.keySet());
      }
      settings.put(key, new Setting(YAML.getNodeFactory().textNode(text), name));
    });
  }

  private void readSet(Map<String, String> set, Map<String, Setting> settings) {
    set.forEach((key, text) -> {
      var type = types.get(key);
      if (type == null || type.isRecord()) {
        throw unknown("--set " + key, keysOfValues());
      }
      settings.put(key, new Setting(YAML.getNodeFactory().textNode(text), "--set"));
    });
  }

  /// The keys that are no groups.
  private List<String> keysOfValues() {
    return types.entrySet().stream().filter(entry -> !entry.getValue().isRecord()).map(Map.Entry::getKey)
        .toList();
  }

  private static ConfigException unknown(String key, Iterable<String> known) {
    return new ConfigException("%s: unknown key (known: %s)".formatted(key, String.join(", ", known)));
  }

  private <R extends Record> R build(String group, R base, Map<String, Setting> settings) {
    var components = base.getClass().getRecordComponents();
    var values = new ArrayList<Object>();
    for (var component : components) {
      var key = group + kebab(component.getName());
      var value = valueOf(component, base);
      if (value instanceof Record nested && !settings.containsKey(key)) {
        values.add(build(key + ".", nested, settings));
      } else {
        values.add(settings.containsKey(key) ? read(key, component.getType(), settings.get(key)) : value);
      }
    }
    return construct(group, base, components, values);
  }

  private static Object read(String key, Class<?> type, Setting setting) {
    var node = setting.value();
    try {
      if (type == List.class && node.isArray()) {
        return StreamSupport.stream(node.spliterator(), false).map(ConfigLoader::scalar).toList();
      }
      if (type.isRecord()) {
        throw new ConfigException(ConfigText.expected(type));
      }
      return ConfigText.parse(type, scalar(node));
    } catch (ConfigException e) {
      throw new ConfigException(
          "%s: %s (expected: %s), from %s".formatted(key, node.asText(), e.getMessage(), setting.source()));
    }
  }

  private static String scalar(JsonNode node) {
    if (!node.isValueNode() || node.isNull()) {
      throw new ConfigException("one value");
    }
    return node.asText();
  }

  @SuppressWarnings("unchecked")
  private static <R extends Record> R construct(String group, R base, RecordComponent[] components,
      List<Object> values) {
    try {
      var types = Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      var constructor = base.getClass().getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return (R) constructor.newInstance(values.toArray());
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException refused) {
        throw new ConfigException(group + refused.getMessage());
      }
      throw new IllegalStateException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object valueOf(RecordComponent component, Record record) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode toNode(Record config) {
    var node = YAML.createObjectNode();
    for (var component : config.getClass().getRecordComponents()) {
      var key = kebab(component.getName());
      switch (valueOf(component, config)) {
        case Record nested -> node.set(key, toNode(nested));
        case List<?> list -> {
          var array = node.putArray(key);
          list.forEach(element -> array.add(ConfigText.format(element)));
        }
        case Integer number -> node.put(key, number);
        case Long number -> node.put(key, number);
        case Double number -> node.put(key, number);
        case Boolean truth -> node.put(key, truth);
        case Object value -> node.put(key, ConfigText.format(value));
      }
    }
    return node;
  }

  private static String kebab(String name) {
    return HUMP.matcher(name).replaceAll("-").toLowerCase(Locale.ROOT);
  }

  private static String environmentName(String key) {
    return key.replace('-', '_').replace('.', '_').toUpperCase(Locale.ROOT);
  }
}
