/// The engine inside a service's own process: ONNX graphs built in memory from a checkpoint, run by ONNX Runtime on
/// the CPU. The vision tower and the projector use their weights where they are mapped; the language tower, which
/// [PackedForward] drives layer by layer, has its matrices packed for the processor, in 32-bit floats or in 8 bits.
@NullMarked
package io.lladav.engine.embedded;

import org.jspecify.annotations.NullMarked;
