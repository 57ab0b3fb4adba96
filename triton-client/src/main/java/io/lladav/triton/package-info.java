/// A client for NVIDIA Triton Inference Server over gRPC: tensors, unary and streamed inference, models, shared memory,
/// and failures by type.
@NullMarked
package io.lladav.triton;

import org.jspecify.annotations.NullMarked;
