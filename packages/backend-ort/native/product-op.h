/** A product as the operators `Product` and `FusedProduct` describe it, and how it is shared out; see product-op.c. */
#ifndef MEANFLOW_PRODUCT_OP_H
#define MEANFLOW_PRODUCT_OP_H

#include "operator.h"
#include "product.h"

enum { MOST_BATCH = 4 };

typedef struct {
  long offset, row, column, batch[MOST_BATCH];
} Matrix;

typedef struct {
  Api api;
  Strides strides;
  long threads, rows, columns, stack;
  long rank, batch[MOST_BATCH];
  Matrix a, b, c, d;
  /** Whether columns are shared out, or else rows; and in how many parts each product of the stack. */
  int byColumns, hasD;
  long parts;
  /** The right factor, where it is the same in all runs: whole, or in as many parts as its columns are shared out in. */
  float *packed;
  long packedPart;
} Product;

/** Reads the attributes, to be given to `freeProduct`; a status where they are not as they should be. @param alongColumns whether columns may be shared out */
Status *readProduct(Api, const KernelInfo *, int alongColumns, Product *);

void freeProduct(Product *);

/** The packed right factor of a part of the work; null where it is to be packed in each run. */
const float *packedFactor(const Product *, long task);

/** Where product `index` of the stack begins in a matrix. */
long placeOf(const Product *, const Matrix *, long index);

/** Rows (or columns) that a part of a product has: [from, from + count). */
typedef struct {
  long index, from, count;
} Part;
Part partOf(const Product *, long task);

/** How many calls share the work: 1 where another thread would not pay. */
long callsOf(const Product *);

#endif
