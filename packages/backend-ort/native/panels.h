/**
 * Panels: what the matrix product (product.c) and the convolution (convolution.c) have in common. A and B are packed into panels in the
 * order in which they are read, and a kernel in registers multiplies a panel of eight rows with one of up to three vectors of
 * columns (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008).
 *
 * To be included in files that are compiled once for each instruction set, with VECTOR floats in a vector and SET in their names.
 */
#ifndef MEANFLOW_PANELS_H
#define MEANFLOW_PANELS_H

#include "product.h"

#include <string.h>

typedef float Vector __attribute__((vector_size(VECTOR * sizeof(float)), aligned(sizeof(float)), may_alias));

enum {
  /** Rows of a panel of A: with three vectors of columns the sums fill 24 registers of 32, or 12 of 16. */
  ROWS = VECTOR == 16 ? 8 : 4,
  /** Vectors in a panel of B. */
  WIDE = 3,
  COLUMNS = WIDE * VECTOR,
  /** Terms of a sum between two stores of it: a panel of B stays in the first-level cache. */
  DEPTH = 512,
  /** Floats in a cache line. */
  LINE = 16,
};

#define JOIN(name, set) name##_##set
#define NAMED(name, set) JOIN(name, set)

static inline Vector splat(float x) {
  return x - (Vector){0};
}

typedef float Eight __attribute__((vector_size(32), aligned(sizeof(float)), may_alias));
typedef int EightIndices __attribute__((vector_size(32)));

/** Writes eight lines of eight terms as eight terms of eight lines. */
static inline void transposeEight(Eight x[8], float *to, long panel) {
  Eight y[8];
  for (int i = 0; i < 4; i++) {
    y[2 * i] = __builtin_shuffle(x[2 * i], x[2 * i + 1], (EightIndices){0, 8, 2, 10, 4, 12, 6, 14});
    y[2 * i + 1] = __builtin_shuffle(x[2 * i], x[2 * i + 1], (EightIndices){1, 9, 3, 11, 5, 13, 7, 15});
  }
  for (int h = 0; h < 8; h += 4)
    for (int i = 0; i < 2; i++) {
      x[h + i] = __builtin_shuffle(y[h + i], y[h + i + 2], (EightIndices){0, 1, 8, 9, 4, 5, 12, 13});
      x[h + i + 2] = __builtin_shuffle(y[h + i], y[h + i + 2], (EightIndices){2, 3, 10, 11, 6, 7, 14, 15});
    }
  for (int i = 0; i < 4; i++) {
    *(Eight *)(to + i * panel) = __builtin_shuffle(x[i], x[i + 4], (EightIndices){0, 1, 2, 3, 8, 9, 10, 11});
    *(Eight *)(to + (i + 4) * panel) = __builtin_shuffle(x[i], x[i + 4], (EightIndices){4, 5, 6, 7, 12, 13, 14, 15});
  }
}

/**
 * Packs `width` of at most `panel` lines, each of `depth` terms, so that the lines' terms stand side by side; lines that are
 * missing are 0.
 */
static void pack(const float *from, long line, long term, long width, long depth, long panel, float *to) {
  if (line == 1 && width == panel) {
    for (long p = 0; p < depth; p++, from += term, to += panel) memcpy(to, from, panel * sizeof(float));
    return;
  }
  if (width < panel) memset(to, 0, depth * panel * sizeof(float));
  long done = 0;
  if (term == 1)
    for (; done + 8 <= width; done += 8) {
      long p = 0;
      for (; p + 8 <= depth; p += 8) {
        Eight x[8];
        for (int i = 0; i < 8; i++) x[i] = *(const Eight *)(from + (done + i) * line + p);
        transposeEight(x, to + p * panel + done, panel);
      }
      for (; p < depth; p++)
        for (long i = done; i < done + 8; i++) to[p * panel + i] = from[i * line + p];
    }
  for (long p = 0; p < depth; p++)
    for (long i = done; i < width; i++) to[p * panel + i] = from[p * term + i * line];
}

/**
 * Sums of `depth` terms for eight rows and `wide` vectors of columns, added to C or stored in it. A row of A lies `apart` from the
 * one before it, and its next term `next` further on; a cache line of `ahead` is asked for with each term.
 */
#define KERNEL(name, wide, apart, next)                                                                                             \
  static void NAMED(name##wide, SET)(const float *a, long line, const float *b, long depth, const float *ahead, float *c, long row, \
                                     float alpha, int add, const float *extra, long extraRow) {                                     \
    Vector sums[ROWS][wide];                                                                                                        \
    (void)line;                                                                                                                     \
    _Pragma("GCC unroll 8") for (int i = 0; i < ROWS; i++)                                                                          \
      _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) sums[i][j] = (Vector){0};                                              \
    for (long p = 0; p < depth; p++, a += next, b += wide * VECTOR, ahead += LINE) {                                                \
      Vector columns[wide];                                                                                                         \
      __builtin_prefetch(ahead, 0, 2);                                                                                              \
      _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) columns[j] = *(const Vector *)(b + j * VECTOR);                        \
      _Pragma("GCC unroll 8") for (int i = 0; i < ROWS; i++) {                                                                      \
        const Vector x = splat(a[i * (apart)]);                                                                                     \
        _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) sums[i][j] += x * columns[j];                                        \
      }                                                                                                                             \
    }                                                                                                                               \
    _Pragma("GCC unroll 8") for (int i = 0; i < ROWS; i++)                                                                          \
      _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) {                                                                      \
        Vector *place = (Vector *)(c + i * row + j * VECTOR);                                                                       \
        Vector sum = alpha * sums[i][j];                                                                                            \
        if (add) sum += *place;                                                                                                     \
        if (extra) sum += *(const Vector *)(extra + i * extraRow + j * VECTOR);                                                     \
        *place = sum;                                                                                                               \
      }                                                                                                                             \
  }
#define KERNELS(name, apart, next) KERNEL(name, 1, apart, next) KERNEL(name, 2, apart, next) KERNEL(name, 3, apart, next)
/** Of packed rows, and of rows that are read where they lie because their terms stand side by side. */
KERNELS(packed, 1, ROWS)
KERNELS(direct, line, 1)

typedef void PanelKernel(const float *a, long line, const float *b, long depth, const float *ahead, float *c, long row, float alpha, int add,
                         const float *extra, long extraRow);

static PanelKernel *const packed[] = {0, NAMED(packed1, SET), NAMED(packed2, SET), NAMED(packed3, SET)};
static PanelKernel *const direct[] = {0, NAMED(direct1, SET), NAMED(direct2, SET), NAMED(direct3, SET)};

/** Vectors of the next panel when so many columns are left: never a lone vector after three. */
static long nextPanel(long columns) {
  const long vectors = (columns + VECTOR - 1) / VECTOR;
  return vectors == 4 ? 2 : vectors < WIDE ? vectors : WIDE;
}

static inline long smaller(long a, long b) {
  return a < b ? a : b;
}

/** One panel product where C is not as the kernels write it: by way of a buffer. */
static void aside(PanelKernel *multiply, const float *a, long line, const float *b, long depth, const float *ahead, long width, long rows, long columns,
                  float *c, long row, long column, float alpha, int add, const float *extra, long extraRow) {
  float buffer[ROWS * COLUMNS];
  multiply(a, line, b, depth, ahead, buffer, width, alpha, 0, 0, 0);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      float *place = c + i * row + j * column;
      *place = buffer[i * width + j] + (add ? *place : 0) + (extra ? extra[i * extraRow + j] : 0);
    }
}

/**
 * What `depth` terms contribute to rows. The first `inPlace` rows are read where they lie, `aRow` apart with their terms side by
 * side; the others from packed panels, of which row `r` begins at `packedA + r * depth`.
 */
static void multiplyRows(const Strides *g, const float *a, long inPlace, const float *packedA, const float *packedB, const float *d,
                         float *c, long rows, long columns, long depth, int add) {
  const float *panel = packedB;
  for (long j = 0, width; j < columns; j += width, panel += width * depth) {
    const long vectors = nextPanel(columns - j), wide = smaller(vectors * VECTOR, columns - j);
    width = vectors * VECTOR;
    for (long r = 0; r < rows; r += ROWS) {
      const long high = smaller(ROWS, rows - r);
      PanelKernel *const multiply = r < inPlace ? direct[vectors] : packed[vectors];
      const float *const lines = r < inPlace ? a + r * g->aRow : packedA + r * depth;
      /* Each panel of A asks for a part of the next panel of B, which may lie far away; the last part again and again costs nothing. */
      const float *const ahead = panel + width * depth + smaller(r / ROWS * LINE, width - LINE) * depth;
      float *const place = c + r * g->cRow + j * g->cColumn;
      const float *const extra = d ? d + r * g->dRow + j : 0;
      if (g->cColumn == 1 && high == ROWS && wide == width)
        multiply(lines, g->aRow, panel, depth, ahead, place, g->cRow, g->alpha, add, extra, g->dRow);
      else
        aside(multiply, lines, g->aRow, panel, depth, ahead, width, high, wide, place, g->cRow, g->cColumn, g->alpha, add, extra, g->dRow);
    }
  }
}

#endif
