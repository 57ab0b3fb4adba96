package io.lladav.projector;

import io.grpc.Context;
import io.lladav.engine.ProjectorEngine;
import io.lladav.model.image.VisualMerger;
import java.nio.FloatBuffer;

/// One tile to project and merge.
///
/// @param request what it is projected for
/// @param features shape (patches, input width)
/// @param embeddings shape (patches, output width), overwritten
/// @param merger what the embeddings are added to
record TileWork(Context request, FloatBuffer features, FloatBuffer embeddings, VisualMerger merger) {
  /// Does it; returns how many tiles that were.
  int run(ProjectorEngine engine) {
    request.run(() -> engine.project(features.duplicate(), features.remaining() / engine.inputWidth(),
        embeddings.duplicate()));
    merger.add(embeddings.duplicate());
    return 1;
  }
}
