/// Two-dimensional float32 tensors that travel between services in chunks of whole rows.
@NullMarked
package io.lladav.runtime.tensor;

import org.jspecify.annotations.NullMarked;
