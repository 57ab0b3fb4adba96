/// Pictures and videos on their way into the model: decoding, resizing and tiling before the vision tower,
/// merging of the projected features behind it. Everything here is arithmetic on arrays, equal to the public
/// LLaDA-V code (and to Pillow, which that code calls) bit for bit where bytes are concerned.
@NullMarked
package io.lladav.model.image;

import org.jspecify.annotations.NullMarked;
