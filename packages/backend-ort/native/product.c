/**
 * Matrix products C = alpha A B + D in float32 with any strides: what a transposition, a split of heads or a slice would have
 * moved is read and written where it lies. Blocks of A and of B are packed and multiplied as panels.h has it.
 *
 * The file is compiled once for each instruction set, with VECTOR floats in a vector and SET in its names.
 */
#include "panels.h"

enum {
  /** Rows of a block of A, and columns of a block of B, which stay in the second-level cache. */
  HIGH = 96,
  BROAD = 768,
};

/** Packs `depth` terms of columns of B, panel after panel. @returns where the next would stand */
static float *packColumns(const Strides *g, const float *b, long columns, long depth, float *to) {
  for (long j = 0, width; j < columns; j += width, to += width * depth) {
    width = nextPanel(columns - j) * VECTOR;
    pack(b + j * g->bColumn, g->bColumn, g->bTerm, smaller(width, columns - j), depth, width, to);
  }
  return to;
}

/** What `depth` terms contribute to at most HIGH rows; `packedA` is memory for as many rows. */
static void blockOfRows(const Strides *g, const float *a, const float *packedB, const float *d, float *c, long rows, long columns,
                        long depth, int add, float *packedA) {
  /* The last rows, where they are fewer than a panel's, are packed in any case: what lies after them is not ours. */
  const long inPlace = g->aTerm == 1 ? rows / ROWS * ROWS : 0;
  for (long r = inPlace; r < rows; r += ROWS)
    pack(a + r * g->aRow, g->aRow, g->aTerm, smaller(ROWS, rows - r), depth, ROWS, packedA + r * depth);
  multiplyRows(g, a, inPlace, packedA, packedB, d, c, rows, columns, depth, add);
}

/** Sums in parts of about the same length; at least one, which stores the zeros of a sum of nothing. */
static long partsOf(long terms) {
  return terms > DEPTH ? (terms + DEPTH - 1) / DEPTH : 1;
}

enum { PACKED_A = (HIGH + ROWS) * DEPTH };

const long NAMED(productWorkspace, SET) = ((BROAD + COLUMNS) * DEPTH + PACKED_A) * sizeof(float);

void NAMED(product, SET)(const Strides *g, const float *a, const float *b, const float *d, float *c,
                           long rows, long columns, float *workspace) {
  const long parts = partsOf(g->terms), depth = (g->terms + parts - 1) / parts;
  float *const packedA = workspace, *const packedB = workspace + PACKED_A;
  for (long j = 0; j < columns; j += BROAD)
    for (long part = 0; part < parts; part++) {
      const long start = part * depth, broad = smaller(BROAD, columns - j), deep = smaller(depth, g->terms - start);
      packColumns(g, b + start * g->bTerm + j * g->bColumn, broad, deep, packedB);
      for (long i = 0; i < rows; i += HIGH)
        blockOfRows(g, a + i * g->aRow + start * g->aTerm, packedB, d && part == parts - 1 ? d + i * g->dRow + j : 0,
                    c + i * g->cRow + j * g->cColumn, smaller(HIGH, rows - i), broad, deep, part > 0, packedA);
    }
}

/** Rows that are finished at a time: they stay in the second-level cache until what follows has read them. */
static long finishedAtOnce(long columns) {
  const long rows = (96 * 1024 / columns) / ROWS * ROWS;
  return rows < ROWS ? ROWS : smaller(rows, HIGH);
}

size_t NAMED(factorBytes, SET)(long terms, long columns) {
  return (size_t)(terms * ((columns + VECTOR - 1) / VECTOR * VECTOR)) * sizeof(float);
}

void NAMED(packFactor, SET)(const Strides *g, const float *b, long columns, float *to) {
  const long parts = partsOf(g->terms), depth = (g->terms + parts - 1) / parts;
  for (long start = 0; start < g->terms; start += depth)
    to = packColumns(g, b + start * g->bTerm, columns, smaller(depth, g->terms - start), to);
}

size_t NAMED(finishedWorkspace, SET)(long columns) {
  return (size_t)(PACKED_A + finishedAtOnce(columns) * columns) * sizeof(float);
}

void NAMED(multiplyPacked, SET)(const Strides *given, const float *a, const float *packedB, const float *d, float *c, long rows,
                                long columns, float *workspace, Finish *finish, void *data) {
  Strides g = *given;
  const long parts = partsOf(g.terms), depth = (g.terms + parts - 1) / parts;
  const long atOnce = finish ? finishedAtOnce(columns) : HIGH, padded = (columns + VECTOR - 1) / VECTOR * VECTOR;
  float *const packedA = workspace;
  if (finish) c = workspace + PACKED_A, g.cRow = columns, g.cColumn = 1;
  for (long i = 0; i < rows; i += atOnce) {
    const long count = smaller(atOnce, rows - i);
    float *const block = finish ? c : c + i * g.cRow;
    for (long part = 0; part < parts; part++) {
      const long start = part * depth;
      blockOfRows(&g, a + i * g.aRow + start * g.aTerm, packedB + start * padded, d && part == parts - 1 ? d + i * g.dRow : 0, block, count,
                  columns, smaller(depth, g.terms - start), part > 0, packedA);
    }
    if (finish) finish(data, block, i, count);
  }
}
