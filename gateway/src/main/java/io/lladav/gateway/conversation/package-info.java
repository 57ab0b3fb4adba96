/// Conversations that the gateway holds: what is kept of them, where, for how long and within which limits.
@NullMarked
package io.lladav.gateway.conversation;

import org.jspecify.annotations.NullMarked;
