/// Asks a cluster the questions of a folder and counts how many replies are right.
@NullMarked
package io.lladav.cli.eval;

import org.jspecify.annotations.NullMarked;
