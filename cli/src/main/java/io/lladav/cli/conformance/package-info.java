/// Replays folders of reference results through a running cluster and finds the first difference.
@NullMarked
package io.lladav.cli.conformance;

import org.jspecify.annotations.NullMarked;
