/**
 * Matrix products with any strides, all counted in elements: C[i, j] = alpha Σₚ A[i, p] B[p, j] + D[i, j], where D,
 * which may be null, has its columns side by side. There is one for
 * each instruction set that the library is built for; `workspace` is memory for as many bytes as its `productWorkspace` says.
 */
#ifndef MEANFLOW_PRODUCT_H
#define MEANFLOW_PRODUCT_H

typedef struct {
  float alpha;
  long terms;
  long aRow, aTerm;
  long bTerm, bColumn;
  long cRow, cColumn;
  long dRow;
} Strides;

typedef void Multiply(const Strides *, const float *a, const float *b, const float *d, float *c, long rows, long columns, float *workspace);

#define PRODUCT(set) \
  extern const long productWorkspace_##set; \
  Multiply product_##set;
PRODUCT(base)
#ifdef __x86_64__
PRODUCT(avx2)
PRODUCT(avx512)
#endif
#undef PRODUCT

/** Takes what this processor has; before the first product. */
void chooseProduct(void);

#endif
