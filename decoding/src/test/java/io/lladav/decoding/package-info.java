/// Tests of the reverse process, without a model.
@NullMarked
package io.lladav.decoding;

import org.jspecify.annotations.NullMarked;
