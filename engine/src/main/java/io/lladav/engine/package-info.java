/// What the services ask of an engine: pictures to features, features to embeddings, canvases to candidates.
/// Nothing here knows ONNX Runtime, protobuf or gRPC.
@NullMarked
package io.lladav.engine;

import org.jspecify.annotations.NullMarked;
