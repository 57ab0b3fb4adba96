/// What a checkpoint directory holds: sizes from `config.json`, weights from its safetensors, and its digest.
@NullMarked
package io.lladav.model.checkpoint;

import org.jspecify.annotations.NullMarked;
