/**
 * HostArray: a dense, row-major array in the host's memory. It is how data enters a graph and how results leave
 * a backend; nothing computes on it except the reference interpreter.
 */
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import { formatShape, formatType, sizeOf, type HostDType, type Shape } from './types.js';

/** The typed array behind each dtype; a bool is one byte, 0 or 1. */
export interface HostData {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly bool: Uint8Array;
}

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const satisfies Record<HostDType, unknown>;

/** A dense row-major array on the host. `data` is not copied: treat it as owned by the array from then on. */
export class HostArray<D extends HostDType = HostDType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: HostData[D];

  /** @throws {ShapeError} when `data.length` is not the number of elements of `shape`. */
  constructor(dtype: D, shape: Shape, data: HostData[D]) {
    const expected = sizeOf(checkedShape(shape));
    if (!(data instanceof constructors[dtype])) {
      throw new DTypeError(
        `HostArray of ${dtype} takes a ${constructors[dtype].name}, got ${describeValue(data)}.`,
      );
    }
    if (data.length !== expected) {
      throw new ShapeError(
        `HostArray of shape ${formatShape(shape)} needs ${expected} elements, got ${data.length}.`,
      );
    }
    this.dtype = dtype;
    this.shape = Object.freeze([...shape]);
    this.data = data;
  }

  /** Number of elements. */
  get size(): number {
    return this.data.length;
  }

  /** The one element of an array of size 1. */
  item(): number {
    if (this.data.length !== 1)
      throw new ShapeError(`item() needs one element, ${this} has ${this.data.length}.`);
    return this.data[0];
  }

  /** The same elements under another shape; shares memory. */
  reshape(shape: Shape): HostArray<D> {
    return new HostArray(this.dtype, shape, this.data);
  }

  /** Rows `[start, end)` along the first axis; shares memory. */
  rows(start: number, end: number): HostArray<D> {
    if (this.shape.length === 0) throw new ShapeError('rows() needs at least one axis, got a scalar.');
    if (!(start >= 0 && start <= end && end <= this.shape[0])) {
      throw new ArgumentError(`rows(${start}, ${end}) is out of range for ${this}.`);
    }
    const width = sizeOf(this.shape.slice(1));
    const data = this.data.subarray(start * width, end * width) as HostData[D];
    return new HostArray(this.dtype, [end - start, ...this.shape.slice(1)], data);
  }

  /** The same values as another dtype (a copy, or this array when nothing changes). Bools become 0 or 1. */
  to<T extends HostDType>(dtype: T): HostArray<T> {
    if ((this.dtype as HostDType) === dtype) return this as unknown as HostArray<T>;
    const converted = new constructors[dtype](this.data.length);
    const isBool = dtype === 'bool';
    for (let i = 0; i < converted.length; i++)
      converted[i] = isBool ? Number(this.data[i] !== 0) : this.data[i];
    return new HostArray(dtype, this.shape, converted as HostData[T]);
  }

  /** A copy with memory of its own. */
  clone(): HostArray<D> {
    return new HostArray(this.dtype, this.shape, this.data.slice() as HostData[D]);
  }

  toString(): string {
    return formatType(this);
  }
}

/** A new array of zeros. */
export function hostZeros<D extends HostDType = 'float32'>(shape: Shape, dtype?: D): HostArray<D> {
  const resolved = dtype ?? ('float32' as D);
  return new HostArray(
    resolved,
    shape,
    new constructors[resolved](sizeOf(checkedShape(shape))) as HostData[D],
  );
}

/** Nested numbers, all rows of equal length. */
export type NestedNumbers = number | readonly NestedNumbers[];

/**
 * An array from a number, nested numbers or a typed array.
 *
 * @param values what the array holds; nested arrays must be rectangular
 * @param options.dtype defaults to float32; int32 truncates, and for bool anything but 0 is 1
 * @param options.shape defaults to the nesting of `values`
 */
export function hostArray<D extends HostDType = 'float32'>(
  values: NestedNumbers | ArrayLike<number>,
  options: { readonly dtype?: D; readonly shape?: Shape } = {},
): HostArray<D> {
  const dtype = options.dtype ?? ('float32' as D);
  let flat = values as ArrayLike<number>;
  let shape: Shape = [flat.length];
  if (!ArrayBuffer.isView(values)) {
    const collected: number[] = [];
    shape = flatten(values as NestedNumbers, collected);
    flat = collected;
  }
  const data =
    dtype === 'bool' ? Uint8Array.from(flat, (x) => Number(x !== 0)) : constructors[dtype].from(flat);
  return new HostArray(dtype, options.shape ?? shape, data as HostData[D]);
}

function flatten(values: NestedNumbers, into: number[]): number[] {
  if (typeof values === 'number') {
    into.push(values);
    return [];
  }
  const shapes = values.map((value) => flatten(value, into));
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
  for (const dimension of shape) {
    if (!Number.isInteger(dimension) || dimension < 0) {
      throw new ShapeError(`A shape holds non-negative integers, got ${formatShape(shape)}.`);
    }
  }
  return shape;
}

function describeValue(value: unknown): string {
  return value === null ? 'null' : ((value as object)?.constructor?.name ?? typeof value);
}
