/**
 * Elementwise ops in WGSL. The language's own exp, sin, tanh, … may be off by thousands of units in the last place, and
 * are on some devices; those here are accurate to a few on every one. NaN and infinity are recognised by their bits,
 * since a compiler may assume that neither occurs.
 *
 * Polynomials were fitted at Chebyshev nodes to float64 values and rounded to float32; beside each is its largest error
 * in roundings (2⁻²⁴), evaluated in float32.
 */
import type { DType } from '@meanflow/core';
import type { ArityOf, Operands, PrimitiveName } from '@meanflow/core/backend';

/** From WGSL expressions of the operands; `dtype` is the operands'. */
export type WgslOp<Given extends readonly string[] = readonly string[]> = (
  operands: Given,
  dtype: DType,
) => string;
type Binary = WgslOp<Operands<2, string>>;

const call =
  (name: string): WgslOp =>
  (operands) =>
    `${name}(${operands.join(', ')})`;
const infix =
  (operator: string): Binary =>
  ([a, b]) =>
    `(${a} ${operator} ${b})`;
/** A function of its own for floats; integers have the language's. */
const byType =
  <Given extends readonly string[]>(float: WgslOp<Given>, int: WgslOp<Given>): WgslOp<Given> =>
  (operands, dtype) =>
    dtype === 'int32' ? int(operands, dtype) : float(operands, dtype);

const isZero = (operand: string): boolean => /^(0f|fromBits\(0x80000000u\))$/.test(operand);

/** Compilers take 0 · x and 0 / x for 0, whatever x is; NaN and infinities would be lost. */
const product: Binary = ([a, b], dtype) => {
  if (dtype === 'int32' || (!isZero(a) && !isZero(b))) return `(${a} * ${b})`;
  return isZero(b) ? `timesZero(${a}, ${b})` : `timesZero(${b}, ${a})`;
};
const quotient: Binary = ([a, b]) => (isZero(a) ? `timesZero(1.0f / ${b}, ${a})` : `(${a} / ${b})`);

export const elementwise = {
  neg: ([x]) => `(-${x})`,
  abs: call('abs'),
  sign: byType(call('signOf'), call('sign')),
  floor: call('floor'),
  exp: call('expOf'),
  log: call('logOf'),
  log1p: call('log1pOf'),
  sqrt: call('sqrt'),
  rsqrt: call('rsqrtOf'),
  sin: call('sinOf'),
  cos: call('cosOf'),
  tanh: call('tanhOf'),
  sigmoid: call('sigmoidOf'),
  erf: call('erfOf'),
  erfc: call('erfcOf'),
  isFinite: call('isFiniteNumber'),
  not: ([x]) => `(!${x})`,
  add: infix('+'),
  sub: infix('-'),
  mul: product,
  div: byType(quotient, call('divideIntegers')),
  pow: call('powOf'),
  maximum: byType(call('maxOf'), call('max')),
  minimum: byType(call('minOf'), call('min')),
  equal: infix('=='),
  less: infix('<'),
  lessEqual: infix('<='),
  and: infix('&&'),
  or: infix('||'),
  select: ([condition, yes, no]) => `select(${no}, ${yes}, ${condition})`,
} as const satisfies { readonly [K in PrimitiveName]?: WgslOp<Operands<ArityOf<K>, string>> };

export type ElementwiseName = keyof typeof elementwise;

/** Functions by name; each kernel includes those that it calls, and those that these call. */
const definitions: Readonly<Record<string, string>> = {
  isNan: `fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`,
  isFiniteNumber: `fn isFiniteNumber(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`,
  // By its bits: a NaN is not zero, nor is a number so small that the device takes it for zero.
  isNonZero: `fn isNonZero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) != 0u; }`,
  // A constant expression must be finite; a variable's bits may be anything.
  fromBits: `fn fromBits(bits: u32) -> f32 { var b = bits; return bitcast<f32>(b); }`,
  timesZero: `
fn timesZero(x: f32, zero: f32) -> f32 {
  let sign = (bitcast<u32>(x) ^ bitcast<u32>(zero)) & 0x80000000u;
  return select(fromBits(0x7fc00000u), bitcast<f32>(sign), isFiniteNumber(x));
}`,
  // Beyond int32 the nearest one; NaN is 0.
  truncated: `
fn truncated(x: f32) -> i32 {
  if (isNan(x)) { return 0; }
  if (abs(x) < 2147483648.0) { return i32(x); }
  return select(0x7fffffff, i32(-2147483648), x < 0.0);
}`,
  // Integers in the order of the floats, the zeros equal and NaN the greatest.
  orderOf: `
fn orderOf(x: f32) -> i32 {
  if (isNan(x)) { return 0x7fffffff; }
  let bits = select(bitcast<i32>(x), 0, x == 0.0);
  return select(bits, bits ^ 0x7fffffff, bits < 0);
}`,
  signOf: `
fn signOf(x: f32) -> f32 {
  return select(x, select(1.0, -1.0, (bitcast<u32>(x) >> 31u) == 1u), isNonZero(x) && !isNan(x));
}`,
  divideIntegers: `fn divideIntegers(a: i32, b: i32) -> i32 { return select(a / select(b, 1, b == 0), 0, b == 0); }`,
  // The bits of two equal numbers are the same but for the sign of zero.
  maxOf: `
fn maxOf(a: f32, b: f32) -> f32 {
  let best = select(max(a, b), bitcast<f32>(bitcast<u32>(a) & bitcast<u32>(b)), a == b);
  return select(select(best, b, isNan(b)), a, isNan(a));
}`,
  minOf: `
fn minOf(a: f32, b: f32) -> f32 {
  let best = select(min(a, b), bitcast<f32>(bitcast<u32>(a) | bitcast<u32>(b)), a == b);
  return select(select(best, b, isNan(b)), a, isNan(a));
}`,
  rsqrtOf: `fn rsqrtOf(x: f32) -> f32 { return 1.0 / sqrt(x); }`,
  // e^x = 2^k · e^r with |r| ≤ ½ ln 2 (1.2 roundings).
  expOf: `
fn expOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let y = clamp(x, -110.0, 90.0);
  let k = round(y * 1.44269504);
  let r = (y - k * 0.693359375) - k * -0.00021219444;
  let p = 1.0 + (r + r * r * (0.5 + r * (0.16666576 + r * (0.041666467 + r * (0.00836318 + r * 0.001393365)))));
  // Two factors, each of which is a normal number.
  let half = i32(k) / 2;
  let rest = i32(k) - half;
  return p * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((rest + 127) << 23u);
}`,
  // ln x = k ln 2 + ln(1 + f) with 1 + f between √½ and √2 (1.5 roundings).
  logOf: `
fn logOf(x: f32) -> f32 {
  if (isNan(x) || x < 0.0) { return fromBits(0x7fc00000u); }
  if (x == 0.0) { return fromBits(0xff800000u); }
  if (!isFiniteNumber(x)) { return x; }
  let isTiny = x < 1.17549435e-38;
  let y = select(x, x * 8388608.0, isTiny);
  let shifted = bitcast<i32>(y) - 0x3f3504f3;
  let k = shifted >> 23u;
  let f = bitcast<f32>(bitcast<i32>(y) - (k << 23u)) - 1.0;
  let n = f32(k) - select(0.0, 23.0, isTiny);
  let z = f * f;
  let p = 0.33333328 + f * (-0.25000298 + f * (0.20001468 + f * (-0.16642247 + f * (0.14202173 + f * (-0.12972239 + f * (0.12712307 + f * -0.081015587))))));
  return n * 0.693359375 + (f + ((f * z * p - 0.5 * z) + n * -0.00021219444));
}`,
  // 2 artanh s for s = x / (2 + x) below ½, with the first terms of its series.
  log1pOf: `
fn log1pOf(x: f32) -> f32 {
  if (!(abs(x) < 0.5)) { return logOf(1.0 + x); }
  let s = x / (2.0 + x);
  let z = s * s;
  return 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * (0.11111111 + z * (0.090909091 + z * 0.076923077))))));
}`,
  // x = k·π/2 + r with |r| ≤ π/4, π/2 in three parts: exact to a rounding up to |x| of some thousands.
  quadrant: `
struct Quadrant { k: i32, r: f32 }
fn quadrant(x: f32) -> Quadrant {
  let k = round(x * 0.636619772);
  let r = ((x - k * 1.5703125) - k * 0.0004837512969970703) - k * 7.549790126404332e-8;
  // Of the largest numbers no rest is left.
  return Quadrant(i32(clamp(k, -1e9, 1e9)), select(0.0, r, abs(r) < 1.0));
}`,
  sinPart: `
fn sinPart(r: f32) -> f32 {
  let z = r * r;
  return r + r * z * (-0.16666667 + z * (0.0083333333 + z * (-0.00019841270 + z * 0.0000027557319)));
}`,
  cosPart: `
fn cosPart(r: f32) -> f32 {
  let z = r * r;
  return 1.0 + z * (-0.5 + z * (0.041666667 + z * (-0.0013888889 + z * (0.000024801587 + z * -0.00000027557319))));
}`,
  sinOf: `
fn sinOf(x: f32) -> f32 {
  let q = quadrant(x);
  let value = select(sinPart(q.r), cosPart(q.r), (q.k & 1) == 1);
  return select(select(value, -value, (q.k & 2) == 2), fromBits(0x7fc00000u), !isFiniteNumber(x));
}`,
  cosOf: `
fn cosOf(x: f32) -> f32 {
  let q = quadrant(x);
  let value = select(cosPart(q.r), sinPart(q.r), (q.k & 1) == 1);
  return select(select(value, -value, ((q.k + 1) & 2) == 2), fromBits(0x7fc00000u), !isFiniteNumber(x));
}`,
  // A polynomial below 0.625 (1.7 roundings), 1 − 2 / (e^2x + 1) above.
  tanhOf: `
fn tanhOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = abs(x);
  let z = a * a;
  let small = x * (1.0 + z * (-0.33333254 + z * (0.13330957 + z * (-0.053707067 + z * (0.020544905 + z * -0.0056076887)))));
  let large = 1.0 - 2.0 / (expOf(2.0 * a) + 1.0);
  return select(select(large, -large, x < 0.0), small, a < 0.625);
}`,
  sigmoidOf: `fn sigmoidOf(x: f32) -> f32 { return 1.0 / (1.0 + expOf(-x)); }`,
  // A polynomial in x² below 1 (2.6 roundings); 1 − e^−x² · P(1 / (1 + x/2)) above (1.3 roundings); 1 from 4.
  erfOf: `
fn erfOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = min(abs(x), 4.0);
  let z = a * a;
  let small = x * (1.1283792 + z * (-0.37612638 + z * (0.11283784 + z * (-0.026865438 + z * (0.0052210535 + z * (-0.00084843964 + z * (0.00011268254 + z * -0.0000096735932)))))));
  let t = 1.0 / (1.0 + 0.5 * a);
  let p = -0.00016045762 + t * (0.28500554 + t * (0.25910446 + t * (0.34980762 + t * (-0.10769317 + t * (0.56819129 + t * (-0.47445801 + t * 0.12026211))))));
  let large = 1.0 - expOf(-z) * p;
  return select(select(large, -large, x < 0.0), small, a < 1.0);
}`,
  // The function of Numerical Recipes (section 6.2, erfcc), accurate to 2 roundings of its value; the square in two parts.
  erfcOf: `
fn erfcOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = min(abs(x), 20.0);
  let head = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
  let t = 1.0 / (1.0 + 0.5 * a);
  let p = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let value = t * expOf(-head * head) * expOf(p - (a - head) * (a + head));
  return select(value, 2.0 - value, x < 0.0);
}`,
  // |x|^y = e^(y ln |x|), with the logarithm in two parts so that its error is not multiplied by y.
  powOf: `
fn powOf(x: f32, y: f32) -> f32 {
  if (y == 0.0 || x == 1.0) { return 1.0; }
  if (isNan(x) || isNan(y)) { return fromBits(0x7fc00000u); }
  let a = abs(x);
  if (!isFiniteNumber(y)) {
    if (a == 1.0) { return 1.0; }
    return select(0.0, fromBits(0x7f800000u), (a > 1.0) == (y > 0.0));
  }
  let isWhole = floor(y) == y;
  let isOdd = isWhole && abs(y) < 16777216.0 && (i32(y) & 1) == 1;
  if (x < 0.0 && !isWhole && isFiniteNumber(x)) { return fromBits(0x7fc00000u); }
  var value: f32;
  if (a == 0.0 || !isFiniteNumber(a)) {
    value = select(0.0, fromBits(0x7f800000u), (a == 0.0) == (y < 0.0));
  } else if (isWhole && abs(y) <= 64.0) {
    var base = a;
    var n = i32(abs(y));
    value = 1.0;
    loop {
      if ((n & 1) == 1) { value *= base; }
      n = n >> 1u;
      if (n == 0) { break; }
      base *= base;
    }
    value = select(value, 1.0 / value, y < 0.0);
  } else {
    let high = bitcast<f32>(bitcast<u32>(logOf(a)) & 0xfffff000u);
    // One step of Newton's method gives what the first part lacks: ln a − high = ln(a · e^−high).
    let low = logOf(a * expOf(-high));
    let yHigh = bitcast<f32>(bitcast<u32>(y) & 0xfffff000u);
    let product = yHigh * high;
    let rest = (y - yHigh) * high + y * low;
    value = expOf(product) * expOf(rest);
  }
  return select(value, -value, isOdd && (bitcast<u32>(x) >> 31u) == 1u);
}`,
};

/** The definitions that a kernel's text calls, in an order in which each stands after those it uses. */
export function functionsFor(text: string): string {
  const included: string[] = [];
  const include = (source: string): void => {
    for (const [name, definition] of Object.entries(definitions)) {
      if (included.includes(name) || !new RegExp(`\\b${name}\\(`).test(source) || definition === source)
        continue;
      include(definition);
      if (!included.includes(name)) included.push(name);
    }
  };
  include(text);
  return included.map((name) => definitions[name]!.trim()).join('\n');
}
