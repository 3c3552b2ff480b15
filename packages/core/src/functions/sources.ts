/** Tensors from nothing: constants and coordinates. */
import { apply, inContext } from '../apply.js';
import { checkDType } from '../check-dtype.js';
import { describeValue } from '../describe-value.js';
import { ArgumentError } from '../errors.js';
import { hostArray, toHostArray, type HostArray, type NestedNumbers } from '../host-array.js';
import { Tensor } from '../tensor.js';
import { hostDTypeOf, isFloat, type DType, type Shape } from '../types.js';
import { broadcastTo } from './shaping.js';

/** A tensor, or a number that becomes a constant of the other operand's dtype. */
export type TensorLike = Tensor | number;

/**
 * A constant. Numbers keep float64 precision in the graph; a backend rounds them to its own.
 *
 * @param value a number, rectangular nested numbers or a host array, which is copied
 * @param dtype defaults to the host array's dtype (float64 counts as float32), float32 otherwise
 * @throws {ArgumentError} when a value is not one of the dtype, such as 0.5 for int32
 */
export function constant(value: NestedNumbers | HostArray, dtype?: DType): Tensor {
  return inContext('constant', [], () => {
    if (dtype !== undefined) checkDType('constant', dtype);
    const array = toHostArray(value);
    if (array !== undefined) {
      const resolved = dtype ?? (array.dtype === 'float64' ? 'float32' : array.dtype);
      if (resolved !== array.dtype) checkValues(array, resolved);
      return apply('constant', [], { dtype: resolved, value: array.clone() });
    }
    if (typeof value !== 'number' && !Array.isArray(value)) {
      throw new ArgumentError(`takes numbers or a HostArray, got ${describeValue(value)}.`);
    }
    const given = hostArray(value as NestedNumbers, { dtype: 'float64' });
    const resolved = dtype ?? 'float32';
    if (isFloat(resolved)) return apply('constant', [], { dtype: resolved, value: given });
    checkValues(given, resolved);
    return apply('constant', [], { dtype: resolved, value: given.to(hostDTypeOf(resolved)) });
  });
}

/** Numbers that a dtype does not have would change silently. */
function checkValues({ data }: HostArray, dtype: DType): void {
  if (isFloat(dtype)) return;
  const isValue = dtype === 'bool' ? (x: number) => x === 0 || x === 1 : (x: number) => (x | 0) === x;
  for (const x of data) {
    if (!isValue(x)) throw new ArgumentError(`${x} is not a value of ${dtype}; cast the tensor first.`);
  }
}

/** The coordinate along `axis` at every place of `shape`. */
export function iota(shape: Shape, axis = 0, dtype: 'float32' | 'int32' = 'int32'): Tensor {
  return apply('iota', [], () => {
    checkDType('iota', dtype);
    return { dtype, shape: [...shape], axis };
  });
}

/** One value everywhere. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  return broadcastTo(constant(value, dtype), shape);
}

/** A number as a constant of `dtype`. */
export function toTensor(value: TensorLike, dtype: DType): Tensor {
  return value instanceof Tensor ? value : constant(value, dtype);
}
