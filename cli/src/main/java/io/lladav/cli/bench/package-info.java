/// Measures a checkpoint on this machine: the engine by itself, and the services with it.
@NullMarked
package io.lladav.cli.bench;

import org.jspecify.annotations.NullMarked;
