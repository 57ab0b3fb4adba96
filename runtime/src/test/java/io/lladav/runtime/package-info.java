/// What every service process is made of: configuration, life cycle, health, metrics, logs and errors.
@NullMarked
package io.lladav.runtime;

import org.jspecify.annotations.NullMarked;
