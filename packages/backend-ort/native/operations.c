/**
 * The loops of all operations, for one instruction set: this file is compiled once for each, with TABLE naming the table
 * that comes of it. An operation has a loop for every way in which its operands may be single numbers, so that none is
 * spread out in memory first.
 */
#include "operations.h"
#include "functions.h"

#if defined(__x86_64__) && defined(__GLIBC__)
/* The first version of glibc's function, so that the library loads wherever Node does. */
__asm__(".symver pow, pow@GLIBC_2.2.5");
#endif

#define LOOP for (long i = 0; i < count; i++)

#define UNARY(name, From, To, value) \
  static void name##Op(const Work *w) { \
    const From *a = w->operands[0]; \
    To *restrict out = w->result; \
    const long count = w->count; \
    LOOP { const From x = a[i]; out[i] = (value); } \
  }

#define BINARY(name, From, To, value) \
  static void name##Op(const Work *w) { \
    const From *a = w->operands[0], *b = w->operands[1]; \
    To *restrict out = w->result; \
    const long count = w->count; \
    if (w->single == 1) { const From x = *a; LOOP { const From y = b[i]; out[i] = (value); } } \
    else if (w->single == 2) { const From y = *b; LOOP { const From x = a[i]; out[i] = (value); } } \
    else LOOP { const From x = a[i], y = b[i]; out[i] = (value); } \
  }

#define TERNARY_CASE(bits, value) \
  case bits: { \
    const float x0 = *a, y0 = *b, z0 = *c; \
    LOOP { \
      const float x = (bits) & 1 ? x0 : a[i], y = (bits) & 2 ? y0 : b[i], z = (bits) & 4 ? z0 : c[i]; \
      out[i] = (value); \
    } \
    break; \
  }
#define TERNARY(name, value) \
  static void name##Op(const Work *w) { \
    const float *a = w->operands[0], *b = w->operands[1], *c = w->operands[2]; \
    float *restrict out = w->result; \
    const long count = w->count; \
    switch (w->single) { \
      TERNARY_CASE(0, value) TERNARY_CASE(1, value) TERNARY_CASE(2, value) TERNARY_CASE(3, value) \
      TERNARY_CASE(4, value) TERNARY_CASE(5, value) TERNARY_CASE(6, value) \
    } \
  }

static void copyOp(const Work *w) {
  const int32_t *a = w->operands[0];
  int32_t *restrict out = w->result;
  const long count = w->count;
  if (w->single) { const int32_t x = *a; LOOP out[i] = x; }
  else LOOP out[i] = a[i];
}

/** One element of each row to all of the row. */
static void expandOp(const Work *w) {
  const int32_t *a = w->operands[0];
  int32_t *restrict out = w->result;
  const long rows = w->count / w->row, row = w->row;
  for (long r = 0; r < rows; r++, out += row) {
    const int32_t x = a[r];
    for (long i = 0; i < row; i++) out[i] = x;
  }
}

/** As many partial results side by side as keep the adders busy; they are joined pairwise, which also loses least. */
#define LANES 64

#define REDUCTION(name, T, initial, join) \
  static void name##Op(const Work *w) { \
    const T *a = w->operands[0]; \
    T *restrict out = w->result; \
    const long rows = w->count / w->row, row = w->row; \
    for (long r = 0; r < rows; r++, a += row) { \
      T lanes[LANES]; \
      for (int j = 0; j < LANES; j++) lanes[j] = (initial); \
      long i = 0; \
      for (; i + LANES <= row; i += LANES) \
        for (int j = 0; j < LANES; j++) { const T x = lanes[j], y = a[i + j]; lanes[j] = (join); } \
      for (int j = 0; i < row; i++, j++) { const T x = lanes[j], y = a[i]; lanes[j] = (join); } \
      for (int half = LANES / 2; half > 0; half /= 2) \
        for (int j = 0; j < half; j++) { const T x = lanes[j], y = lanes[j + half]; lanes[j] = (join); } \
      out[r] = lanes[0]; \
    } \
  }

REDUCTION(rowSum, float, 0.0f, x + y)
REDUCTION(rowMax, float, -INFINITY, maximumOf(x, y))
REDUCTION(rowSumInt, int32_t, 0, (int32_t)((uint32_t)x + (uint32_t)y))
REDUCTION(rowMaxInt, int32_t, INT32_MIN, x > y ? x : y)

UNARY(neg, float, float, -x)
UNARY(abs, float, float, ofBits(bitsOf(x) & 0x7fffffff))
UNARY(sign, float, float, x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x)
UNARY(floor, float, float, __builtin_floorf(x))
UNARY(exp, float, float, expOf(x))
UNARY(log, float, float, logOf(x))
UNARY(log1p, float, float, log1pOf(x))
UNARY(sqrt, float, float, __builtin_sqrtf(x))
UNARY(rsqrt, float, float, 1.0f / __builtin_sqrtf(x))
UNARY(sinFar, float, float, (float)sin((double)x))
UNARY(cosFar, float, float, (float)cos((double)x))
UNARY(sinNear, float, float, sineOf(x, 0))
UNARY(cosNear, float, float, sineOf(x, 1))

/** Whether all angles are such as `sineOf` takes. */
static int areNear(const Work *w) {
  const float *a = w->operands[0];
  int far = 0;
  for (long i = 0; i < w->count; i++) far |= !(a[i] < LARGEST_ANGLE && a[i] > -LARGEST_ANGLE);
  return !far;
}
static void sinOp(const Work *w) {
  (areNear(w) ? sinNearOp : sinFarOp)(w);
}
static void cosOp(const Work *w) {
  (areNear(w) ? cosNearOp : cosFarOp)(w);
}
UNARY(tanh, float, float, tanhOf(x))
UNARY(sigmoid, float, float, sigmoidOf(x))
UNARY(erf, float, float, erfOf(x))
UNARY(erfc, float, float, erfcOf(x))
UNARY(isFinite, float, int32_t, (bitsOf(x) & 0x7f800000) != 0x7f800000)
UNARY(not, int32_t, int32_t, 1 - x)
UNARY(negInt, int32_t, int32_t, (int32_t)(0u - (uint32_t)x))
UNARY(absInt, int32_t, int32_t, x < 0 ? (int32_t)(0u - (uint32_t)x) : x)
UNARY(signInt, int32_t, int32_t, (x > 0) - (x < 0))
UNARY(floatToInt, float, int32_t, toInt(x))
UNARY(floatToBool, float, int32_t, x != 0.0f)
UNARY(intToFloat, int32_t, float, (float)x)
UNARY(intToBool, int32_t, int32_t, x != 0)

BINARY(add, float, float, x + y)
BINARY(sub, float, float, x - y)
BINARY(mul, float, float, x * y)
BINARY(div, float, float, x / y)
BINARY(pow, float, float, (float)pow((double)x, (double)y))
BINARY(maximum, float, float, maximumOf(x, y))
BINARY(minimum, float, float, minimumOf(x, y))
BINARY(equal, float, int32_t, x == y)
BINARY(less, float, int32_t, x < y)
BINARY(lessEqual, float, int32_t, x <= y)
BINARY(addInt, int32_t, int32_t, (int32_t)((uint32_t)x + (uint32_t)y))
BINARY(subInt, int32_t, int32_t, (int32_t)((uint32_t)x - (uint32_t)y))
BINARY(mulInt, int32_t, int32_t, (int32_t)((uint32_t)x * (uint32_t)y))
BINARY(divInt, int32_t, int32_t, divideInts(x, y))
BINARY(maximumInt, int32_t, int32_t, x > y ? x : y)
BINARY(minimumInt, int32_t, int32_t, x < y ? x : y)
BINARY(equalInt, int32_t, int32_t, x == y)
BINARY(lessInt, int32_t, int32_t, x < y)
BINARY(lessEqualInt, int32_t, int32_t, x <= y)
BINARY(and, int32_t, int32_t, x & y)
BINARY(or, int32_t, int32_t, x | y)

TERNARY(mulAdd, FMA(x, y, z))
TERNARY(mulSub, FMA(x, y, -z))
TERNARY(negMulAdd, FMA(-x, y, z))

/** Operand 0 chooses: elsewhere than 0 operand 1, else operand 2. */
static void selectOp(const Work *w) {
  const int32_t *condition = w->operands[0], *a = w->operands[1], *b = w->operands[2];
  int32_t *restrict out = w->result;
  const long count = w->count;
  if (w->single & 1) {
    const int which = *condition ? 1 : 2;
    const Work chosen = {{w->operands[which]}, w->result, count, w->row, w->single >> which & 1};
    copyOp(&chosen);
  } else if (w->single == 6) { const int32_t x = *a, y = *b; LOOP out[i] = condition[i] ? x : y; }
  else if (w->single == 4) { const int32_t y = *b; LOOP out[i] = condition[i] ? a[i] : y; }
  else if (w->single == 2) { const int32_t x = *a; LOOP out[i] = condition[i] ? x : b[i]; }
  else LOOP out[i] = condition[i] ? a[i] : b[i];
}

#define ENTRY(name, operands) name##Op,
const Operation TABLE[OPERATION_COUNT] = {OPERATIONS(ENTRY)};
