/**
 * Matrix products C = alpha A B + D in float32 with any strides: what a transposition, a split of heads or a slice would have
 * moved is read and written where it lies. The structure is that of Goto and van de Geijn ("Anatomy of High-Performance
 * Matrix Multiplication", 2008): a block of A and a block of B are packed into panels in the order in which they are read, and a
 * kernel in registers multiplies a panel of eight rows with one of up to three vectors of columns.
 *
 * The file is compiled once for each instruction set, with VECTOR floats in a vector and SET in its names.
 */
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
  DEPTH = 384,
  /** Rows of a block of A, and columns of a block of B, which stay in the second-level cache. */
  HIGH = 144,
  BROAD = 768,
};

#define JOIN(name, set) name##_##set
#define NAMED(name, set) JOIN(name, set)

static inline Vector splat(float x) {
  return x - (Vector){0};
}

typedef float Eight __attribute__((vector_size(32), aligned(sizeof(float)), may_alias));
typedef int EightIndices __attribute__((vector_size(32)));

/** Writes eight lines of eight terms as eight terms of eight lines. */
static inline void transposeEight(const float *from, long line, float *to, long panel) {
  Eight x[8], y[8];
  for (int i = 0; i < 8; i++) x[i] = *(const Eight *)(from + i * line);
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
      for (; p + 8 <= depth; p += 8) transposeEight(from + done * line + p, line, to + p * panel + done, panel);
      for (; p < depth; p++)
        for (long i = done; i < done + 8; i++) to[p * panel + i] = from[i * line + p];
    }
  for (long p = 0; p < depth; p++)
    for (long i = done; i < width; i++) to[p * panel + i] = from[p * term + i * line];
}

/** Sums of `depth` terms for eight rows and `wide` vectors of columns, added to C or stored in it. */
#define KERNEL(wide)                                                                                                    \
  static void NAMED(kernel##wide, SET)(const float *a, const float *b, long depth, float *c, long row, float alpha,    \
                                         int add, const float *extra, long extraRow) {                                   \
    Vector sums[ROWS][wide];                                                                                               \
    _Pragma("GCC unroll 8") for (int i = 0; i < ROWS; i++)                                                              \
      _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) sums[i][j] = (Vector){0};                                      \
    for (long p = 0; p < depth; p++, a += ROWS, b += wide * VECTOR) {                                                   \
      Vector columns[wide];                                                                                                \
      _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) columns[j] = *(const Vector *)(b + j * VECTOR);                \
      _Pragma("GCC unroll 8") for (int i = 0; i < ROWS; i++) {                                                          \
        const Vector x = splat(a[i]);                                                                                      \
        _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) sums[i][j] += x * columns[j];                             \
      }                                                                                                                 \
    }                                                                                                                   \
    _Pragma("GCC unroll 8") for (int i = 0; i < ROWS; i++)                                                              \
      _Pragma("GCC unroll 3") for (int j = 0; j < wide; j++) {                                                          \
      Vector *place = (Vector *)(c + i * row + j * VECTOR);                                                                   \
      Vector sum = alpha * sums[i][j];                                                                                     \
      if (add) sum += *place;                                                                                           \
      if (extra) sum += *(const Vector *)(extra + i * extraRow + j * VECTOR);                                                                \
      *place = sum;                                                                                                     \
    }                                                                                                                   \
  }
KERNEL(1)
KERNEL(2)
KERNEL(3)

typedef void PanelKernel(const float *a, const float *b, long depth, float *c, long row, float alpha, int add, const float *extra,
                         long extraRow);

/** Vectors of the next panel when so many columns are left: never a lone vector after three. */
static long nextPanel(long columns) {
  const long vectors = (columns + VECTOR - 1) / VECTOR;
  return vectors == 4 ? 2 : vectors < WIDE ? vectors : WIDE;
}

static inline long smaller(long a, long b) {
  return a < b ? a : b;
}

/** One panel product where C is not as the kernels write it: by way of a buffer. */
static void aside(PanelKernel *multiply, const float *a, const float *b, long depth, long width, long rows, long columns,
                  float *c, long row, long column, float alpha, int add, const float *extra,
                  long extraRow) {
  float buffer[ROWS * COLUMNS];
  multiply(a, b, depth, buffer, width, alpha, 0, 0, 0);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      float *place = c + i * row + j * column;
      *place = buffer[i * width + j] + (add ? *place : 0) + (extra ? extra[i * extraRow + j] : 0);
    }
}

const long NAMED(productWorkspace, SET) = ((BROAD + COLUMNS) * DEPTH + (HIGH + ROWS) * DEPTH) * sizeof(float);

/** What one block of B contributes to its columns. */
static void block(const Strides *g, const float *a, const float *b, const float *d, float *c, long rows,
                  long columns, long depth, int add, float *workspace) {
  static PanelKernel *const kernels[] = {0, NAMED(kernel1, SET), NAMED(kernel2, SET), NAMED(kernel3, SET)};
  float *const packedB = workspace, *const packedA = workspace + (BROAD + COLUMNS) * DEPTH;
  float *to = packedB;
  for (long j = 0, width; j < columns; j += width, to += width * depth) {
    width = nextPanel(columns - j) * VECTOR;
    pack(b + j * g->bColumn, g->bColumn, g->bTerm, smaller(width, columns - j), depth, width, to);
  }
  for (long i = 0; i < rows; i += HIGH) {
    const long height = smaller(HIGH, rows - i);
    for (long r = 0; r < height; r += ROWS)
      pack(a + (i + r) * g->aRow, g->aRow, g->aTerm, smaller(ROWS, height - r), depth, ROWS, packedA + r * depth);
    const float *panel = packedB;
    for (long j = 0, width; j < columns; j += width, panel += width * depth) {
      const long vectors = nextPanel(columns - j), wide = smaller(vectors * VECTOR, columns - j);
      width = vectors * VECTOR;
      for (long r = 0; r < height; r += ROWS) {
        const long high = smaller(ROWS, height - r);
        float *const place = c + (i + r) * g->cRow + j * g->cColumn;
        const float *const extra = d ? d + (i + r) * g->dRow + j : 0;
        if (g->cColumn == 1 && high == ROWS && wide == width)
          kernels[vectors](packedA + r * depth, panel, depth, place, g->cRow, g->alpha, add, extra,
                           g->dRow);
        else
          aside(kernels[vectors], packedA + r * depth, panel, depth, width, high, wide, place, g->cRow, g->cColumn,
                g->alpha, add, extra, g->dRow);
      }
    }
  }
}

void NAMED(product, SET)(const Strides *g, const float *a, const float *b, const float *d, float *c,
                           long rows, long columns, float *workspace) {
  /** Sums in parts of about the same length; at least one, which stores the zeros of a sum of nothing. */
  const long parts = g->terms > DEPTH ? (g->terms + DEPTH - 1) / DEPTH : 1;
  const long depth = (g->terms + parts - 1) / parts;
  for (long j = 0; j < columns; j += BROAD)
    for (long part = 0; part < parts; part++) {
      const long start = part * depth;
      block(g, a + start * g->aTerm, b + start * g->bTerm + j * g->bColumn,
            d && part == parts - 1 ? d + j : 0, c + j * g->cColumn, rows, smaller(BROAD, columns - j),
            smaller(depth, g->terms - start), part > 0, workspace);
    }
}
