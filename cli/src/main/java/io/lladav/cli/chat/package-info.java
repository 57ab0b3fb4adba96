/// Dialogues that a gateway holds, from the side of their client.
@NullMarked
package io.lladav.cli.chat;

import org.jspecify.annotations.NullMarked;
