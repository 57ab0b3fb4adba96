package io.lladav.cli.conformance;

import io.lladav.internal.debug.v1.PromptDetail;
import io.lladav.internal.debug.v1.TokenSequence;
import io.lladav.internal.debug.v1.VisualDetail;
import io.lladav.v1.Step;
import io.lladav.v1.Token;
import io.lladav.v1.VisualInfo;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Compares a replayed reply with its reference. Everything must be identical except confidences, which may
/// differ by a relative 1e-4.
///
/// @param visuals how the pictures or the video must be cut
/// @param maskId the mask's own id: commits of it are no commits and are left out on both sides
record Comparison(GoldenReply expect, List<ExpectedVisual> visuals, int maskId) {
  private static final double CONFIDENCE_TOLERANCE = 1e-4;
  private static final int SHOWN_CHARS = 40;

  /// Describes the first difference in the order in which a reply comes about, or nothing if there is none.
  Optional<String> firstDifference(ReplayedReply reply) {
    return first(Stream.of(
        () -> reply.prompt().flatMap(this::prompt),
        () -> visuals(reply),
        () -> number("prompt_length", expect.promptLength(), reply.started().getPromptTokens()),
        () -> number("visual_tokens_total", expect.visualTokens(), visualTokens(reply)),
        () -> steps(reply.steps()),
        () -> number("forwards", expect.forwards(), reply.finished().getUsage().getNfe()),
        () -> list("ids", expect.ids(), reply.finished().getTokenIdsList()),
        () -> text("text_without_special", expect.text(), reply.finished().getText())));
  }

  private Optional<String> prompt(PromptDetail prompt) {
    return first(Stream.of(
        () -> text("prompt_text", expect.promptText(), prompt.getText()),
        () -> list("input_ids", expect.inputIds(), prompt.getInputIdsList()),
        () -> list("stop_ids", expect.stopIds(),
            prompt.getStopsList().stream().map(TokenSequence::getIdsList).toList()),
        () -> list("suffix_ids", expect.suffixIds(), prompt.getSuffixIdsList())));
  }

  private Optional<String> visuals(ReplayedReply reply) {
    var found = reply.started().getVisualsList();
    var digests = reply.visuals().stream().sorted(Comparator.comparingInt(VisualDetail::getIndex)).toList();
    return first(Stream.concat(
        Stream.of(
            () -> number("pictures", visuals.size(), found.size()),
            () -> reply.prompt()
                .flatMap(prompt -> number("pictures with digests", visuals.size(), digests.size()))),
        IntStream.range(0, visuals.size()).<Supplier<Optional<String>>>mapToObj(
            i -> () -> visual("picture " + i, visuals.get(i), found.get(i),
                reply.prompt().isEmpty() ? List.of() : hex(digests.get(i))))));
  }

  private static Optional<String> visual(String name, ExpectedVisual expected, VisualInfo found,
      List<String> digests) {
    var grid = new ExpectedVisual.Grid(found.getGridRows(), found.getGridColumns());
    return first(Stream.of(
        () -> expected.tileCount().isEmpty()
            ? Optional.empty()
            : number(name + " tiles", expected.tileCount().getAsInt(), found.getTileCount()),
        () -> expected.grid().flatMap(wanted -> value(name + " grid", wanted, grid)),
        () -> expected.tokens().isEmpty()
            ? Optional.empty()
            : number(name + " visual tokens", expected.tokens().getAsInt(), found.getVisualTokens()),
        () -> expected.digests().isEmpty() || digests.isEmpty()
            ? Optional.empty()
            : list(name + " tile digests", expected.digests(), digests)));
  }

  private static int visualTokens(ReplayedReply reply) {
    return reply.started().getVisualsList().stream().mapToInt(VisualInfo::getVisualTokens).sum();
  }

  private Optional<String> steps(List<Step> found) {
    var common = Math.min(found.size(), expect.steps().size());
    return first(Stream.concat(
        IntStream.range(0, common).<Supplier<Optional<String>>>mapToObj(
            i -> () -> step("step " + (i + 1), expect.steps().get(i), found.get(i))),
        Stream.of(() -> number("steps", expect.steps().size(), found.size()))));
  }

  private Optional<String> step(String name, GoldenReply.GoldenStep expected, Step found) {
    var commits = IntStream.range(0, expected.ids().size()).filter(i -> expected.ids().get(i) != maskId)
        .toArray();
    var tokens = found.getCommittedList().stream().filter(token -> token.getTokenId() != maskId).toList();
    return first(Stream.of(
        () -> list(name + " positions", pick(expected.positions(), commits),
            tokens.stream().map(Token::getPosition).toList()),
        () -> list(name + " ids", pick(expected.ids(), commits),
            tokens.stream().map(Token::getTokenId).toList()),
        () -> confidences(name, pick(expected.confidences(), commits), tokens)));
  }

  private static Optional<String> confidences(String name, List<Double> expected, List<Token> found) {
    return IntStream.range(0, expected.size())
        .filter(i -> !near(expected.get(i), found.get(i).getConfidence()))
        .mapToObj(
            i -> "%s confidence at position %d: %s (expected: %s)".formatted(name, found.get(i).getPosition(),
                found.get(i).getConfidence(), expected.get(i)))
        .findFirst();
  }

  private static boolean near(double expected, double found) {
    return Math.abs(found - expected) <= CONFIDENCE_TOLERANCE * Math.abs(expected);
  }

  private static <T> List<T> pick(List<T> all, int[] indexes) {
    return IntStream.of(indexes).mapToObj(all::get).toList();
  }

  private static List<String> hex(VisualDetail detail) {
    return detail.getTileDigestsList().stream().map(digest -> HexFormat.of().formatHex(digest.toByteArray()))
        .toList();
  }

  private static Optional<String> first(Stream<Supplier<Optional<String>>> checks) {
    return checks.map(Supplier::get).flatMap(Optional::stream).findFirst();
  }

  private static Optional<String> number(String name, int expected, int found) {
    return value(name, expected, found);
  }

  private static Optional<String> value(String name, Object expected, Object found) {
    return Objects.equals(expected, found) ? Optional.empty() : Optional.of(said(name, expected, found));
  }

  private static Optional<String> list(String name, List<?> expected, List<?> found) {
    var common = Math.min(expected.size(), found.size());
    return first(Stream.concat(
        IntStream.range(0, common).<Supplier<Optional<String>>>mapToObj(
            i -> () -> value("%s[%d]".formatted(name, i), expected.get(i), found.get(i))),
        Stream.of(() -> number(name + " count", expected.size(), found.size()))));
  }

  private static Optional<String> text(String name, String expected, String found) {
    if (expected.equals(found)) {
      return Optional.empty();
    }
    int at = 0;
    while (at < Math.min(expected.length(), found.length()) && expected.charAt(at) == found.charAt(at)) {
      at++;
    }
    return Optional
        .of(said("%s from character %d".formatted(name, at), shown(expected, at), shown(found, at)));
  }

  private static String shown(String text, int from) {
    var end = Math.min(text.length(), from + SHOWN_CHARS);
    return '"' + text.substring(from, end).replace("\n", "\\n") + (end < text.length() ? "…" : "") + '"';
  }

  private static String said(String name, Object expected, Object found) {
    return "%s: %s (expected: %s)".formatted(name, found, expected);
  }
}
