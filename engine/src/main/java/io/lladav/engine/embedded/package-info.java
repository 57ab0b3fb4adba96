/// The engine inside a service's own process: ONNX graphs built in memory from a checkpoint, run by ONNX Runtime on
/// the CPU in 32-bit floats, with the weights used where they are mapped.
@NullMarked
package io.lladav.engine.embedded;

import org.jspecify.annotations.NullMarked;
