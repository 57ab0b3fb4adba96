/// The reverse process of masked diffusion (LLaDA, arXiv 2502.09992, section 2.4) as pure functions.
@NullMarked
package io.lladav.decoding;

import org.jspecify.annotations.NullMarked;
