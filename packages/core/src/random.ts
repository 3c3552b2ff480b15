/**
 * Randomness on the host: a counter-based generator (Threefry-2x32 with 20 rounds; Salmon, Moraes, Dror and Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A value depends on the key and its position only, never
 * on what was drawn before, so the same (seed, stream, step) gives the same numbers on every backend and after
 * every resume. Keys are immutable: derive one per purpose with `fold`, and draw from it once.
 */
import { ArgumentError } from './errors.js';
import { HostArray } from './host-array.js';
import { sizeOf, type Shape } from './types.js';

const PARITY = 0x1bd11bda;

/**
 * One Threefry-2x32-20 block: encrypts the counter (c0, c1) under the key (k0, k1) into `out[at]`, `out[at + 1]`. Five
 * groups of four rounds, the key added after each; written out, because every random number passes through here.
 */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number, out: Uint32Array, at = 0): void {
  const k2 = k0 ^ k1 ^ PARITY;
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
  x0 = (x0 + k1) | 0;
  x1 = (x1 + k2 + 1) | 0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
  x0 = (x0 + k2) | 0;
  x1 = (x1 + k0 + 2) | 0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
  x0 = (x0 + k0) | 0;
  x1 = (x1 + k1 + 3) | 0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
  x0 = (x0 + k1) | 0;
  x1 = (x1 + k2 + 4) | 0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
  x0 = (x0 + x1) | 0;
  x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
  x0 = (x0 + k2) | 0;
  x1 = (x1 + k0 + 5) | 0;
  out[at] = x0;
  out[at + 1] = x1;
}

/** A key of the counter-based generator. Pure: the same key and call give the same values. */
export class RandomKey {
  private constructor(
    private readonly k0: number,
    private readonly k1: number,
  ) {}

  /** @param seed a non-negative safe integer */
  static fromSeed(seed: number): RandomKey {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ArgumentError(`A seed is an integer from 0 to 2^53 - 1, got ${seed}.`);
    }
    return new RandomKey(Math.floor(seed / 2 ** 32) >>> 0, seed >>> 0);
  }

  /** A key for a named stream or a numbered step; different names and numbers give independent streams. */
  fold(stream: string | number): RandomKey {
    const out = new Uint32Array(2);
    if (typeof stream === 'number') {
      if (!Number.isSafeInteger(stream) || stream < 0) {
        throw new ArgumentError(`A key folds in a name or a non-negative integer, got ${stream}.`);
      }
      // The top bit separates numbers from the characters of names.
      threefry2x32(this.k0, this.k1, (Math.floor(stream / 2 ** 32) | 0x80000000) >>> 0, stream >>> 0, out);
      return new RandomKey(out[0]!, out[1]!);
    }
    let [k0, k1] = [this.k0, this.k1];
    for (let i = 0; i < stream.length; i++) {
      threefry2x32(k0, k1, stream.charCodeAt(i), stream.length, out);
      [k0, k1] = [out[0]!, out[1]!];
    }
    threefry2x32(k0, k1, 0x40000000, stream.length, out);
    return new RandomKey(out[0]!, out[1]!);
  }

  /** `count` uniformly distributed 32-bit words. */
  bits(count: number): Uint32Array {
    const out = new Uint32Array(count + (count & 1));
    for (let i = 0; i < out.length; i += 2) threefry2x32(this.k0, this.k1, 0, i >>> 1, out, i);
    return out.subarray(0, count);
  }

  /** Uniform float32 on [low, high), with 24 random bits each. */
  uniform(shape: Shape, low = 0, high = 1): HostArray<'float32'> {
    if (!(low < high && Number.isFinite(high - low))) {
      throw new ArgumentError(`uniform() needs finite low < high, got [${low}, ${high}).`);
    }
    const bits = this.bits(sizeOf(shape));
    const values = new Float32Array(bits.length);
    const largest = float32Below(high);
    for (let i = 0; i < values.length; i++) {
      // Rounding to float32 can reach the end that the interval leaves out.
      values[i] = Math.min(low + (high - low) * ((bits[i]! >>> 8) * 2 ** -24), largest);
    }
    return new HostArray('float32', shape, values);
  }

  /** Standard normal float32 (Box–Muller in float64). */
  normal(shape: Shape): HostArray<'float32'> {
    const values = new Float32Array(sizeOf(shape));
    const bits = this.bits(values.length + (values.length & 1));
    for (let i = 0; i < values.length; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((bits[i]! + 1) * 2 ** -32));
      const angle = 2 * Math.PI * bits[i + 1]! * 2 ** -32;
      values[i] = radius * Math.cos(angle);
      if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
    }
    return new HostArray('float32', shape, values);
  }

  /** Uniform integers on [low, high), within int32, from 53 random bits each. */
  integers(shape: Shape, low: number, high: number): HostArray<'int32'> {
    const isWhole = Number.isInteger(low) && Number.isInteger(high);
    if (!isWhole || high <= low || low < -(2 ** 31) || high > 2 ** 31) {
      throw new ArgumentError(`integers() needs whole low < high within int32, got [${low}, ${high}).`);
    }
    const values = new Int32Array(sizeOf(shape));
    const bits = this.bits(2 * values.length);
    for (let i = 0; i < values.length; i++) {
      values[i] = low + Math.floor(fraction53(bits[2 * i]!, bits[2 * i + 1]!) * (high - low));
    }
    return new HostArray('int32', shape, values);
  }

  /** A uniformly random order of 0 … count − 1 (Fisher–Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    const bits = this.bits(2 * count);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(fraction53(bits[2 * i]!, bits[2 * i + 1]!) * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}

/** The largest float32 that is less than `x`. */
function float32Below(x: number): number {
  const value = new Float32Array([x]);
  if (value[0]! < x) return value[0]!;
  if (value[0] === 0) return -(2 ** -149);
  // Neighbours of one sign are neighbours as integers.
  new Int32Array(value.buffer)[0]! += value[0]! > 0 ? -1 : 1;
  return value[0]!;
}

/** Two random words as a float64 on [0, 1) with all 53 bits of its significand random. */
function fraction53(high: number, low: number): number {
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) * 2 ** -53;
}
