package io.lladav.engine.embedded;

import io.lladav.engine.AttentionMode;
import io.lladav.engine.embedded.GraphSession.Weights;
import io.lladav.model.checkpoint.LanguageConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The layers of the language tower, ready to run. Every matrix is held once.
final class LanguageTower implements AutoCloseable {
  private final EmbeddedRuntime runtime;
  private final int hiddenSize;
  private final LanguageGraphs graphs;
  private final List<GraphSession> sessions = new ArrayList<>();
  private final List<Layer> layers = new ArrayList<>();
  private final GraphSession fullAttention;
  private @Nullable GraphSession dialogueCausalAttention;

  /// The sessions of one layer; see [LanguageGraphs].
  record Layer(GraphSession queries, GraphSession keysAndValues, GraphSession attentionOutput,
      GraphSession mlp) {}

  /// @throws io.lladav.engine.EngineException if the native library refuses a graph; nothing is left behind then
  LanguageTower(EmbeddedRuntime runtime, LanguageGraphs graphs, LanguageConfig config) {
    this.runtime = runtime;
    this.graphs = graphs;
    this.hiddenSize = config.hiddenSize();
    try {
      fullAttention = session(graphs.attention(false));
      for (int i = 0; i < config.layerCount(); i++) {
        layers.add(new Layer(session(graphs.queries(i)), session(graphs.keysAndValues(i)),
            session(graphs.attentionOutput(i)), session(graphs.mlp(i))));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  List<Layer> layers() {
    return layers;
  }

  GraphSession attention(AttentionMode mode) {
    return switch (mode) {
      case AttentionMode.Full _ -> fullAttention;
      case AttentionMode.DialogueCausal _ -> {
        if (dialogueCausalAttention == null) {
          dialogueCausalAttention = session(graphs.attention(true));
        }
        yield dialogueCausalAttention;
      }
    };
  }

  /// Counts what attention computes: each row's scores with all positions, and their values' sum.
  void countAttention(int rows, int positions) {
    runtime.count(2L * rows * positions * hiddenSize);
  }

  @Override
  public void close() {
    sessions.forEach(GraphSession::close);
  }

  private GraphSession session(GraphBuilder.Graph graph) {
    var session = new GraphSession(runtime, graph, Weights.PACKED);
    sessions.add(session);
    return session;
  }
}
