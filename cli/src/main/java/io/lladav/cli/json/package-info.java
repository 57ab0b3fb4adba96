/// Reads JSON files that people and programs write, and says where one is wrong.
@NullMarked
package io.lladav.cli.json;

import org.jspecify.annotations.NullMarked;
