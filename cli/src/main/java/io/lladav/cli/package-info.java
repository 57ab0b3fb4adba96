/// The command line: starts clusters, asks them, replays reference results, inspects checkpoints.
@NullMarked
package io.lladav.cli;

import org.jspecify.annotations.NullMarked;
