/**
 * HostArray: a dense, row-major array in the host's memory. It is how data enters a graph and how results leave
 * a backend; nothing computes on it except the reference interpreter.
 *
 * Arrays come from elsewhere too: typed arrays of another realm (an iframe, a vm context, Jest), shared memory, an array
 * that was posted to a worker and is a plain object since, one of a second copy of this package. What they mean is clear,
 * so all of them are taken, by `toHostArray`.
 */
import { checkOptions } from './check-options.js';
import { describeValue, typedArrayName } from './describe-value.js';
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import { toInt32 } from './special-values.js';
import { formatShape, formatType, sizeOf, type HostDType, type Shape } from './types.js';

/** The typed array behind each dtype; a bool is one byte, 0 or 1. */
export interface HostData {
  readonly float32: Float32Array;
  /** A graph's float16 is float32 on the host. */
  readonly float16: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly bool: Uint8Array;
}

const constructors = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
  float64: Float64Array,
} as const satisfies Record<HostDType, unknown>;

/** The class of each dtype's typed array, which a minified bundle would not tell. */
const classNames = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int32: 'Int32Array',
  bool: 'Uint8Array',
} as const satisfies Record<HostDType, string>;

/** By this a HostArray is known, whichever copy of this package made it. */
const BRAND = Symbol.for('meanflow.HostArray');

const conversions: Readonly<Record<HostDType, (x: number) => number>> = {
  float32: (x) => x,
  float64: (x) => x,
  int32: toInt32,
  bool: (x) => Number(x !== 0),
};

/** A dense row-major array on the host. `data` is not copied: treat it as owned by the array from then on. */
export class HostArray<D extends HostDType = HostDType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: HostData[D];

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  /**
   * @param data of another realm too; `data` is then another view of the same memory
   * @throws {DTypeError} when there is no such dtype, or `data` is not the typed array that it needs
   * @throws {ShapeError} when `data.length` is not the number of elements of `shape`
   */
  constructor(dtype: D, shape: Shape, data: HostData[D]) {
    const expected = sizeOf(checkedShape(shape));
    const type = constructors[checkedDType(dtype)];
    if (typedArrayName(data) !== classNames[dtype]) {
      throw new DTypeError(`HostArray of ${dtype} takes a ${classNames[dtype]}, got ${describeValue(data)}.`);
    }
    if (data.length !== expected) {
      throw new ShapeError(
        `HostArray of shape ${formatShape(shape)} needs ${expected} elements, got ${data.length}.`,
      );
    }
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.data = (
      data instanceof type ? data : new type(data.buffer as ArrayBuffer, data.byteOffset, data.length)
    ) as HostData[D];
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== HostArray) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** The one element of an array of size 1. */
  item(): number {
    if (this.data.length !== 1)
      throw new ShapeError(`item() needs one element, ${this} has ${this.data.length}.`);
    return this.data[0]!;
  }

  /** The same elements under another shape; shares memory. */
  reshape(shape: Shape): HostArray<D> {
    return new HostArray(this.dtype, shape, this.data);
  }

  /** Rows `[start, end)` along the first axis; shares memory. */
  rows(start: number, end: number): HostArray<D> {
    if (this.shape.length === 0) throw new ShapeError('rows() needs at least one axis, got a scalar.');
    if (!(start >= 0 && start <= end && end <= this.shape[0]!)) {
      throw new ArgumentError(`rows(${start}, ${end}) is out of range for ${this}.`);
    }
    const width = sizeOf(this.shape.slice(1));
    const data = this.data.subarray(start * width, end * width) as HostData[D];
    return new HostArray(this.dtype, [end - start, ...this.shape.slice(1)], data);
  }

  /**
   * The given rows along the first axis, in that order, in memory of their own.
   *
   * @throws {ArgumentError} when one is no row
   */
  takeRows(rows: ArrayLike<number>): HostArray<D> {
    if (this.shape.length === 0) throw new ShapeError('takeRows() needs at least one axis, got a scalar.');
    const [count = 0, ...rest] = this.shape;
    const width = sizeOf(rest);
    const taken = hostZeros([rows.length, ...rest], this.dtype);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      if (!(Number.isInteger(row) && row >= 0 && row < count)) {
        throw new ArgumentError(`takeRows() takes rows from 0 and below ${count}, got ${row}.`);
      }
      taken.data.set(this.data.subarray(row * width, (row + 1) * width), i * width);
    }
    return taken;
  }

  /**
   * Arrays below each other, along the first axis, in memory of their own.
   *
   * @throws {ShapeError} when there are none, or their rows have different shapes
   */
  static joinRows<D extends HostDType>(parts: readonly HostArray<D>[]): HostArray<D> {
    const [first] = parts;
    if (first === undefined || first.shape.length === 0) {
      throw new ShapeError('joinRows() takes one array or more, each with a first axis.');
    }
    const [, ...rest] = first.shape;
    let rows = 0;
    for (const part of parts) {
      if (part.dtype !== first.dtype || formatShape(part.shape.slice(1)) !== formatShape(rest)) {
        throw new ShapeError(`joinRows() takes arrays whose rows are alike, got ${first} and ${part}.`);
      }
      rows += part.shape[0]!;
    }
    const joined = hostZeros([rows, ...rest], first.dtype);
    let at = 0;
    for (const { data } of parts) {
      joined.data.set(data, at);
      at += data.length;
    }
    return joined;
  }

  /**
   * The same values as another dtype (a copy, or this array when nothing changes), as `cast` converts: int32 is cut toward
   * zero and stays in its range, of NaN it is 0; a bool is 0 or 1.
   */
  to<T extends HostDType>(dtype: T): HostArray<T> {
    if ((this.dtype as HostDType) === dtype) return this as unknown as HostArray<T>;
    const converted = new constructors[dtype](this.data.length);
    const convert = conversions[dtype];
    for (let i = 0; i < converted.length; i++) converted[i] = convert(this.data[i]!);
    return new HostArray(dtype, this.shape, converted as HostData[T]);
  }

  /**
   * A copy with memory of its own, which is neither shared nor resizable.
   *
   * @throws {ShapeError} when the memory has shrunk, or went with `postMessage`
   */
  clone(): HostArray<D> {
    return copyOf(this);
  }

  toString(): string {
    return formatType(this);
  }
}

/** @throws {ShapeError} when the memory holds another number of elements than it did */
function checkMemory({ dtype, shape, data }: HostArray): void {
  const expected = sizeOf(shape);
  if (data.length === expected) return;
  throw new ShapeError(
    `The memory of ${formatType({ dtype, shape })} holds ${data.length} elements and not ${expected}: its buffer was transferred ` +
      '(by postMessage, say) or resized. Keep a clone() where the array is needed afterwards.',
  );
}

/** The dtypes of the host. */
function isHostDType(dtype: unknown): dtype is HostDType {
  return typeof dtype === 'string' && Object.hasOwn(constructors, dtype);
}

/** What `postMessage` and `structuredClone` make of a HostArray: a plain object with its fields. */
interface HostArrayFields {
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly data: HostData[HostDType];
}

/** Whether a value is what is left of a HostArray that was posted to a worker or structurally cloned. */
export function isHostArrayFields(value: unknown): value is HostArrayFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  // A plain object of any realm: an array of a device may have the same properties.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  const { dtype, shape, data } = value as Partial<Record<keyof HostArrayFields, unknown>>;
  return isHostDType(dtype) && Array.isArray(shape) && typedArrayName(data) === classNames[dtype];
}

/**
 * A host array of this copy of the package, from one of any copy or from what a structured clone left of one; undefined
 * for anything else. Memory is shared with what was given.
 *
 * @throws {ShapeError} when the memory has shrunk, or went with `postMessage`
 */
export function toHostArray(value: unknown): HostArray | undefined {
  if (!(value instanceof HostArray || isHostArrayFields(value))) return undefined;
  if (Object.getPrototypeOf(value) !== HostArray.prototype) {
    const { dtype, shape, data } = value;
    return new HostArray<HostDType>(dtype, shape, data);
  }
  checkMemory(value as HostArray);
  return value as HostArray;
}

/** Whether the array's memory keeps its length, and is no other thread's to change. */
export function isFixedMemory({ data: { buffer } }: HostArray): boolean {
  const { resizable } = buffer as { readonly resizable?: boolean };
  return Object.prototype.toString.call(buffer) === '[object ArrayBuffer]' && resizable !== true;
}

function copyOf<D extends HostDType>(array: HostArray<D>): HostArray<D> {
  checkMemory(array);
  // Not slice(), which keeps the realm, and in places the kind of memory.
  const data = new constructors[array.dtype](array.data) as HostData[D];
  return new HostArray(array.dtype, array.shape, data);
}

/** A new array of zeros. */
export function hostZeros<D extends HostDType = 'float32'>(shape: Shape, dtype?: D): HostArray<D> {
  const resolved = checkedDType(dtype ?? ('float32' as D));
  return new HostArray(
    resolved,
    shape,
    new constructors[resolved](sizeOf(checkedShape(shape))) as HostData[D],
  );
}

/** Nested numbers, all rows of equal length. */
export type NestedNumbers = number | readonly NestedNumbers[];

export interface HostArrayOptions<D extends HostDType = HostDType> {
  readonly dtype?: D;
  readonly shape?: Shape;
}

/**
 * An array from a number, nested numbers or a typed array.
 *
 * @param values what the array holds; nested arrays must be rectangular
 * @param options.dtype defaults to float32; numbers become int32 and bool as {@link HostArray.to} converts them
 * @param options.shape defaults to the nesting of `values`
 */
export function hostArray<D extends HostDType = 'float32'>(
  values: NestedNumbers | ArrayLike<number>,
  options: HostArrayOptions<D> = {},
): HostArray<D> {
  checkOptions<HostArrayOptions<D>>('hostArray', options, { dtype: true, shape: true });
  const dtype = checkedDType(options.dtype ?? ('float32' as D));
  const view = typedArrayName(values);
  let flat = values as ArrayLike<number>;
  let shape: Shape = [flat?.length];
  if (view === undefined) {
    const collected: number[] = [];
    shape = flatten(values as NestedNumbers, collected);
    flat = collected;
  } else if (view.startsWith('Big')) {
    throw new DTypeError(`hostArray takes numbers, got ${describeValue(values)}, which holds bigints.`);
  }
  const data = new constructors[dtype](flat.length);
  const convert = conversions[dtype];
  for (let i = 0; i < data.length; i++) data[i] = convert(flat[i]!);
  return new HostArray(dtype, options.shape ?? shape, data as HostData[D]);
}

function flatten(values: NestedNumbers, into: number[]): number[] {
  if (typeof values === 'number') {
    into.push(values);
    return [];
  }
  if (!Array.isArray(values) && typedArrayName(values) === undefined) {
    throw new ArgumentError(`hostArray takes numbers, nested to any depth, got ${describeValue(values)}.`);
  }
  const shapes = Array.from(values as readonly NestedNumbers[], (value) => flatten(value, into));
  const first = shapes[0] ?? [];
  for (const shape of shapes) {
    if (shape.length !== first.length || shape.some((dimension, axis) => dimension !== first[axis])) {
      throw new ShapeError(
        `Nested values are ragged: found ${formatShape(first)} next to ${formatShape(shape)}.`,
      );
    }
  }
  return [values.length, ...first];
}

function checkedShape(shape: Shape): Shape {
  if (!Array.isArray(shape)) {
    throw new ShapeError(`A shape is an array of non-negative integers, got ${describeValue(shape)}.`);
  }
  for (const dimension of shape) {
    if (!Number.isInteger(dimension) || dimension < 0) {
      throw new ShapeError(`A shape holds non-negative integers, got ${formatShape(shape)}.`);
    }
  }
  return shape;
}

function checkedDType<D extends HostDType>(dtype: D): D {
  if (isHostDType(dtype)) return dtype;
  throw new DTypeError(
    `The dtypes of host arrays are ${Object.keys(constructors).join(', ')}; got ${describeValue(dtype)}.`,
  );
}
