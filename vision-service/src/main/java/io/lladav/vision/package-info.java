/// The vision service: decodes pictures, cuts them into tiles and runs the vision tower over each.
@NullMarked
package io.lladav.vision;

import org.jspecify.annotations.NullMarked;
