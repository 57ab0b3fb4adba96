/// Tests of the Triton client.
@NullMarked
package io.lladav.triton;

import org.jspecify.annotations.NullMarked;
