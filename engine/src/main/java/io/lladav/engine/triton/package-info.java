/// The engines on a Triton Inference Server that runs the models of `deploy/triton`. The tensors of each are described in
/// `deploy/triton/PROTOCOL.md`.
@NullMarked
package io.lladav.engine.triton;

import org.jspecify.annotations.NullMarked;
