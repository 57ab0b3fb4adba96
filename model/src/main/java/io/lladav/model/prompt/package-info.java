/// From a dialogue to the ids of a prompt: tokenizer, chat template, and the rules by which visuals and users'
/// text are put into it.
@NullMarked
package io.lladav.model.prompt;

import org.jspecify.annotations.NullMarked;
