/// How a service works: a call as straight-line code on its own virtual thread, arithmetic on one platform
/// thread.
@NullMarked
package io.lladav.runtime.work;

import org.jspecify.annotations.NullMarked;
