/// The projector service: maps vision features into the language tower's embedding space and merges a
/// visual's tiles.
@NullMarked
package io.lladav.projector;

import org.jspecify.annotations.NullMarked;
