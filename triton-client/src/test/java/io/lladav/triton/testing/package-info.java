/// A real Triton Inference Server in tests, for this module and others.
@NullMarked
package io.lladav.triton.testing;

import org.jspecify.annotations.NullMarked;
