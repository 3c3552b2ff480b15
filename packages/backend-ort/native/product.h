/**
 * Matrix products with any strides, all counted in elements: C[i, j] = alpha Σₚ A[i, p] B[p, j] + D[i, j], where D,
 * which may be null, has its columns side by side. There is one for
 * each instruction set that the library is built for; `workspace` is memory for as many bytes as its `productWorkspace` says.
 */
#ifndef MEANFLOW_PRODUCT_H
#define MEANFLOW_PRODUCT_H

#include <stddef.h>

typedef struct {
  float alpha;
  long terms;
  long aRow, aTerm;
  long bTerm, bColumn;
  long cRow, cColumn;
  long dRow;
} Strides;

typedef void Multiply(const Strides *, const float *a, const float *b, const float *d, float *c, long rows, long columns, float *workspace);

/** The bytes of a factor B that is packed whole, in the order in which kernels read it; and its packing. */
typedef size_t FactorBytes(long terms, long columns);
typedef void PackFactor(const Strides *, const float *b, long columns, float *to);

/** Takes `count` finished rows, from `from` on, which lie row after row in memory that is theirs until it returns. */
typedef void Finish(void *data, const float *rows, long from, long count);

/** The bytes of the workspace of a product whose rows are finished. */
typedef size_t FinishedWorkspace(long columns);

/**
 * A product by a factor that was packed whole. Its rows go to C; or, where there is `finish`, to that as they are finished, some at a
 * time, and are written nowhere.
 */
typedef void MultiplyPacked(const Strides *, const float *a, const float *packedB, const float *d, float *c, long rows, long columns,
                            float *workspace, Finish *finish, void *data);

#define PRODUCT(set) \
  extern const long productWorkspace_##set; \
  Multiply product_##set; \
  FactorBytes factorBytes_##set; \
  PackFactor packFactor_##set; \
  FinishedWorkspace finishedWorkspace_##set; \
  MultiplyPacked multiplyPacked_##set;
PRODUCT(base)
#ifdef __x86_64__
PRODUCT(avx2)
PRODUCT(avx512)
#endif
#undef PRODUCT

/** What this processor has, once it is chosen. */
typedef struct {
  Multiply *multiply;
  size_t workspace;
  FactorBytes *factorBytes;
  PackFactor *packFactor;
  FinishedWorkspace *finishedWorkspace;
  MultiplyPacked *multiplyPacked;
} ProductSet;
extern ProductSet productSet;

/** Before the first product. */
void chooseProduct(void);

#endif
