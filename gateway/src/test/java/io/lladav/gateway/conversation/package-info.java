@NullMarked
package io.lladav.gateway.conversation;

import org.jspecify.annotations.NullMarked;
