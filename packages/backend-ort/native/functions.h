/**
 * Elementary functions of a float, without branches, so that the compiler makes vector code of the loops that call them.
 * Polynomials are those of Cephes (Moshier, public domain), of sine and cosine those of FreeBSD's msun. Errors are those measured over all floats or a dense sample,
 * in units of the last place: exp 1, log 1, tanh 2, sigmoid 2, erf 3, erfc 7, log1p 3, sin and cos ½.
 */
#ifndef MEANFLOW_FUNCTIONS_H
#define MEANFLOW_FUNCTIONS_H

#include <math.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/** a b + c, rounded once where the processor can; elsewhere the library's `fmaf` would be a call. */
#ifdef FP_FAST_FMAF
#define FMA(a, b, c) __builtin_fmaf(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

INLINE int32_t bitsOf(float x) {
  union { float f; int32_t i; } u = {.f = x};
  return u.i;
}
INLINE float ofBits(int32_t i) {
  union { int32_t i; float f; } u = {.i = i};
  return u.f;
}

/** eˣ, into the subnormals. */
INLINE float expOf(float x) {
  const float limited = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
  /* To the nearest whole number, by adding and taking away 1.5 · 2²³. */
  const float n = (limited * 1.44269504f + 12582912.0f) - 12582912.0f;
  float r = FMA(n, -0.693359375f, limited);
  r = FMA(n, 2.12194440e-4f, r);
  float p = FMA(1.9875691500e-4f, r, 1.3981999507e-3f);
  p = FMA(p, r, 8.3334519073e-3f);
  p = FMA(p, r, 4.1665795894e-2f);
  p = FMA(p, r, 1.6666665459e-1f);
  p = FMA(p, r, 5.0000001201e-1f);
  p = FMA(p, r * r, r) + 1.0f;
  /* 2ⁿ in two factors: it may lie beyond the normal numbers. */
  const int32_t whole = (int32_t)n, half = whole >> 1;
  return p * ofBits((half + 127) << 23) * ofBits((whole - half + 127) << 23);
}

/** Natural logarithm. */
INLINE float logOf(float x) {
  const int small = x < 1.17549435e-38f;
  const int32_t bits = bitsOf(small ? x * 8388608.0f : x);
  /* x = 2ᵉ m with m in [√½, √2) */
  const int32_t shifted = bits - 0x3f3504f3;
  const int32_t exponent = (shifted >> 23) - (small ? 23 : 0);
  const float m = ofBits((shifted & 0x007fffff) + 0x3f3504f3) - 1.0f, e = (float)exponent;
  const float z = m * m;
  float p = FMA(7.0376836292e-2f, m, -1.1514610310e-1f);
  p = FMA(p, m, 1.1676998740e-1f);
  p = FMA(p, m, -1.2420140846e-1f);
  p = FMA(p, m, 1.4249322787e-1f);
  p = FMA(p, m, -1.6668057665e-1f);
  p = FMA(p, m, 2.0000714765e-1f);
  p = FMA(p, m, -2.4999993993e-1f);
  p = FMA(p, m, 3.3333331174e-1f);
  float y = p * m * z;
  y = FMA(e, -2.12194440e-4f, y);
  y = FMA(z, -0.5f, y);
  const float value = FMA(e, 0.693359375f, m + y);
  const float special = x == 0.0f ? -INFINITY : x < 0.0f ? NAN : x;
  return x > 0.0f && x < INFINITY ? value : special;
}

/** log(1 + x), by the quotient that rounding 1 + x puts right (Kahan). */
INLINE float log1pOf(float x) {
  const float u = 1.0f + x, d = u - 1.0f;
  const float value = logOf(u) * (x / (d == 0.0f ? 1.0f : d));
  return d == 0.0f ? x : u < INFINITY ? value : u;
}

INLINE float tanhOf(float x) {
  const float z = x * x, size = x < 0.0f ? -x : x;
  float p = FMA(-5.70498872745e-3f, z, 2.06390887954e-2f);
  p = FMA(p, z, -5.37397155531e-2f);
  p = FMA(p, z, 1.33314422036e-1f);
  p = FMA(p, z, -3.33332819422e-1f);
  const float near = FMA(p * z, x, x);
  const float far = 1.0f - 2.0f / (expOf(size + size) + 1.0f);
  return size < 0.625f ? near : x < 0.0f ? -far : x > 0.0f ? far : x;
}

/** 1 / (1 + e⁻ˣ), from the exponential that does not overflow. */
INLINE float sigmoidOf(float x) {
  const float e = expOf(x < 0.0f ? x : -x), r = 1.0f / (1.0f + e);
  return x < 0.0f ? e * r : r;
}

/** erfc for |x| ≥ 1, and erf for |x| < 1: the halves that both functions are made of. */
INLINE float erfcFar(float size) {
  const float q = 1.0f / size, y = q * q;
  float p = FMA(2.326819970068386e-2f, y, -1.387039388740657e-1f);
  p = FMA(p, y, 3.687424674597105e-1f);
  p = FMA(p, y, -5.824733027278666e-1f);
  p = FMA(p, y, 6.210004621745983e-1f);
  p = FMA(p, y, -4.944515323274145e-1f);
  p = FMA(p, y, 3.404879937665872e-1f);
  p = FMA(p, y, -2.741127028184656e-1f);
  p = FMA(p, y, 5.638259427386472e-1f);
  float r = FMA(-1.047766399936249e+1f, y, 1.297719955372516e+1f);
  r = FMA(r, y, -7.495518717768503f);
  r = FMA(r, y, 2.921019019210786f);
  r = FMA(r, y, -1.015265279202700f);
  r = FMA(r, y, 4.218463358204948e-1f);
  r = FMA(r, y, -2.820767439740514e-1f);
  r = FMA(r, y, 5.641895067754075e-1f);
  /* e^{−x²} with the square in two parts: rounded, it would cost x² roundings. */
  const float head = ofBits(bitsOf(size) & (int32_t)0xfffff000);
  return expOf(-head * head) * expOf(-(size - head) * (size + head)) * q * (size < 2.0f ? p : r);
}
INLINE float erfNear(float x) {
  const float z = x * x;
  float p = FMA(7.853861353153693e-5f, z, -8.010193625184903e-4f);
  p = FMA(p, z, 5.188327685732524e-3f);
  p = FMA(p, z, -2.685381193529856e-2f);
  p = FMA(p, z, 1.128358514861418e-1f);
  p = FMA(p, z, -3.761262582423300e-1f);
  return FMA(p, z, 1.128379165726710f) * x;
}

INLINE float erfOf(float x) {
  const float size = x < 0.0f ? -x : x, limited = size < 1.0f ? 1.0f : size > 9.0f ? 9.0f : size;
  const float far = 1.0f - erfcFar(limited), near = erfNear(x);
  return size < 1.0f ? near : x < 0.0f ? -far : x > 0.0f ? far : x;
}
INLINE float erfcOf(float x) {
  const float size = x < 0.0f ? -x : x, limited = size < 1.0f ? 1.0f : size > 11.0f ? 11.0f : size;
  const float far = erfcFar(limited), near = 1.0f - erfNear(x);
  return size < 1.0f ? near : x < 0.0f ? 2.0f - far : x > 0.0f ? far : x;
}

/** From here on sine and cosine take a reduction of their own. */
#define LARGEST_ANGLE 4.2e8f

/** The sine of x + quarters · π/2 for |x| below LARGEST_ANGLE, in float64 within. */
INLINE float sineOf(float x, int32_t quarters) {
  /* To the nearest whole number, by adding and taking away 1.5 · 2⁵². */
  const double n = (x * 0.63661977236758134308 + 6755399441055744.0) - 6755399441055744.0;
  const double y = (x - n * 1.57079631090164184570) - n * 1.58932547735281966916e-8;
  const int32_t quadrant = (int32_t)n + quarters;
  const double z = y * y, w = z * z;
  const double sine = (y + z * y * (-0.166666666416265235595 + z * 0.0083333293858894631756)) +
                      z * y * w * (-0.000198393348360966317347 + z * 0.0000027183114939898219064);
  const double cosine = ((1.0 + z * -0.499999997251031003120) + w * 0.0416666233237390631894) +
                        w * z * (-0.00138867637746099294692 + z * 0.0000243904487962774090654);
  const double value = quadrant & 1 ? cosine : sine;
  return (float)(quadrant & 2 ? -value : value);
}

/** A NaN is the greatest and the least of all, and 0 is greater than −0: of equal numbers, bits decide. */
INLINE float maximumOf(float a, float b) {
  const float equal = ofBits(bitsOf(a) & bitsOf(b));
  return a > b ? a : b > a ? b : a == b ? equal : a + b;
}
INLINE float minimumOf(float a, float b) {
  const float equal = ofBits(bitsOf(a) | bitsOf(b));
  return a < b ? a : b < a ? b : a == b ? equal : a + b;
}

/** Toward zero; beyond the range the nearest int32, of NaN 0. */
INLINE int32_t toInt(float x) {
  const float limited = x >= 2147483648.0f || !(x >= -2147483648.0f) ? 0.0f : x;
  const int32_t whole = (int32_t)limited;
  return x >= 2147483648.0f ? INT32_MAX : x < -2147483648.0f ? INT32_MIN : whole;
}

/** Cut toward zero; x / 0 is 0, and the least int32 by −1 is itself. */
INLINE int32_t divideInts(int32_t a, int32_t b) {
  return b == 0 ? 0 : b == -1 ? (int32_t)(0u - (uint32_t)a) : a / b;
}

#endif
