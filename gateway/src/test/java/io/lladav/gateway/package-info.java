/// Tests of the gateway: its production wiring over loopback connections, between scripted services.
@NullMarked
package io.lladav.gateway;

import org.jspecify.annotations.NullMarked;
