package io.lladav.cli.conformance;

import io.lladav.cli.json.Json;
import java.nio.file.Path;
import java.util.List;

/// One request with the reference results it must give.
///
/// @param name checkpoint and file name, for example `tiny-a/cfg-0.5`
/// @param checkpoint directory of its checkpoint, below `checkpoints`
/// @param fragile whether rounding may decide otherwise, so that its ids need not agree
/// @param lossyInput whether its pictures depend on how a lossy format is decoded
record GoldenCase(String name, String checkpoint, boolean fragile, boolean lossyInput, GoldenRequest request,
    GoldenReply expect) {

  /// Reads one file of `cases`.
  ///
  /// @throws io.lladav.cli.json.JsonException naming the file and the key that is missing or wrong
  static GoldenCase read(Path file) {
    var json = Json.read(file);
    return new GoldenCase(json.text("name"), json.text("checkpoint"), json.truth("fragile"),
        json.truth("lossy_input"), GoldenRequest.of(json.object("request")),
        GoldenReply.of(json.object("expect")));
  }

  /// The same case with other picture files.
  GoldenCase withImages(List<String> images) {
    return new GoldenCase(name, checkpoint, fragile, lossyInput, request.withImages(images), expect);
  }
}
