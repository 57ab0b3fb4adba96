package io.lladav.model.image;

import java.nio.FloatBuffer;

/// A grid of merged tokens that is filled tile by tile: every tile adds its share to the tokens it touches, so
/// that the features of one tile at a time are enough.
final class TokenGrid {
  private final FloatBuffer tokens;
  private final int width;
  private final int firstToken;
  private final int rowTokens;
  private final Taps rows;
  private final Taps columns;
  private final boolean maxima;
  private final float[] source;
  private final float[] sum;

  /// @param tokens all merged tokens, shape `(tokens, width)`, read and written by absolute index
  /// @param width numbers per token
  /// @param firstToken where the grid begins
  /// @param rowTokens tokens from the start of one row of the grid to the start of the next
  /// @param rows where the grid's rows come from, in cells
  /// @param columns where the grid's columns come from, in cells
  /// @param maxima whether a token is the maximum of its four sources rather than their weighted sum
  TokenGrid(FloatBuffer tokens, int width, int firstToken, int rowTokens, Taps rows, Taps columns,
      boolean maxima) {
    this.tokens = tokens;
    this.width = width;
    this.firstToken = firstToken;
    this.rowTokens = rowTokens;
    this.rows = rows;
    this.columns = columns;
    this.maxima = maxima;
    this.source = new float[width];
    this.sum = new float[width];
  }

  /// Adds the share of one tile; tiles come in reading order.
  ///
  /// @param tile features, shape `(side * side, width)`
  /// @param side patches per row and per column
  /// @param top first cell row of the tile
  /// @param left first cell column of the tile
  void add(FloatBuffer tile, int side, int top, int left) {
    for (int row = 0; row < rows.count(); row++) {
      addRow(tile, side, rows.first()[row] - top, left, row, rows.firstWeight(row), true);
      addRow(tile, side, rows.second()[row] - top, left, row, rows.secondWeight()[row], false);
    }
  }

  private void addRow(FloatBuffer tile, int side, int y, int left, int row, float weight, boolean first) {
    if (y < 0 || y >= side || (!first && weight == 0)) {
      return;
    }
    for (int column = 0; column < columns.count(); column++) {
      int token = firstToken + row * rowTokens + column;
      addCell(tile, side, y, columns.first()[column] - left, token, weight * columns.firstWeight(column),
          first);
      if (columns.secondWeight()[column] != 0) {
        addCell(tile, side, y, columns.second()[column] - left, token,
            weight * columns.secondWeight()[column],
            false);
      }
    }
  }

  /// The first source of a token comes before its others, in its tile or in an earlier one, so it is written and
  /// the others are added to it.
  private void addCell(FloatBuffer tile, int side, int y, int x, int token, float weight, boolean first) {
    if (x < 0 || x >= side) {
      return;
    }
    int from = (y * side + x) * width;
    if (first && (maxima || weight == 1)) {
      tokens.put(token * width, tile, from, width);
      return;
    }
    tile.get(from, source);
    if (first) {
      for (int i = 0; i < width; i++) {
        sum[i] = weight * source[i];
      }
    } else {
      tokens.get(token * width, sum);
      if (maxima) {
        for (int i = 0; i < width; i++) {
          sum[i] = Math.max(sum[i], source[i]);
        }
      } else {
        for (int i = 0; i < width; i++) {
          sum[i] += weight * source[i];
        }
      }
    }
    tokens.put(token * width, sum);
  }
}
