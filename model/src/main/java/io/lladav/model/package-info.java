/// What a checkpoint directory says, read once and checked: this package holds what its parts share.
@NullMarked
package io.lladav.model;

import org.jspecify.annotations.NullMarked;
