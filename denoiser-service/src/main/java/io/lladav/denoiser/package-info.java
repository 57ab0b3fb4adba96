/// The denoiser service: holds canvases and runs the language tower over them, step by step.
@NullMarked
package io.lladav.denoiser;

import org.jspecify.annotations.NullMarked;
