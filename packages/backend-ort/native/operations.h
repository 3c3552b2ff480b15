/**
 * The operations of a fused body. Each works on runs of `count` elements of 32 bits, float or int32; a bool is an int32 of
 * 0 or 1 here. The numbers are part of the encoding (`src/native/fused/encode.ts` has the same list) and are only added to.
 */
#ifndef MEANFLOW_OPERATIONS_H
#define MEANFLOW_OPERATIONS_H

#include <stdint.h>

/** name, number of operands */
#define OPERATIONS(O) \
  O(copy, 1) O(expand, 1) O(rowSum, 1) O(rowMax, 1) O(rowSumInt, 1) O(rowMaxInt, 1) \
  O(neg, 1) O(abs, 1) O(sign, 1) O(floor, 1) O(exp, 1) O(log, 1) O(log1p, 1) O(sqrt, 1) O(rsqrt, 1) O(sin, 1) O(cos, 1) \
  O(tanh, 1) O(sigmoid, 1) O(erf, 1) O(erfc, 1) O(isFinite, 1) O(not, 1) \
  O(negInt, 1) O(absInt, 1) O(signInt, 1) \
  O(floatToInt, 1) O(floatToBool, 1) O(intToFloat, 1) O(intToBool, 1) \
  O(add, 2) O(sub, 2) O(mul, 2) O(div, 2) O(pow, 2) O(maximum, 2) O(minimum, 2) O(equal, 2) O(less, 2) O(lessEqual, 2) \
  O(addInt, 2) O(subInt, 2) O(mulInt, 2) O(divInt, 2) O(maximumInt, 2) O(minimumInt, 2) O(equalInt, 2) O(lessInt, 2) \
  O(lessEqualInt, 2) O(and, 2) O(or, 2) \
  O(select, 3) O(mulAdd, 3) O(mulSub, 3) O(negMulAdd, 3)

#define NUMBER(name, operands) OP_##name,
enum { OPERATIONS(NUMBER) OPERATION_COUNT };
#undef NUMBER

/** What an operation works on. Bit i of `single`: operand i is one element, which stands for all. */
typedef struct {
  const void *operands[3];
  void *result;
  long count;
  /** Elements of a row, for what joins rows or spreads their values. */
  long row;
  int single;
} Work;

typedef void (*Operation)(const Work *);

/** One table for each instruction set that the library is built for. */
extern const Operation operations_base[OPERATION_COUNT];
#ifdef __x86_64__
extern const Operation operations_avx2[OPERATION_COUNT];
extern const Operation operations_avx512[OPERATION_COUNT];
#endif

#endif
