/// What several packages' tests share: reading reference results.
@NullMarked
package io.lladav.model;

import org.jspecify.annotations.NullMarked;
