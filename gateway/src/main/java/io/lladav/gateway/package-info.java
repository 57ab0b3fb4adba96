/// The gateway: checks requests, renders prompts, owns canvas and randomness, runs the remasking loop and streams
/// what it commits. The only part of the cluster that clients talk to.
@NullMarked
package io.lladav.gateway;

import org.jspecify.annotations.NullMarked;
