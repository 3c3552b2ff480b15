/** Functions that move elements and compute nothing. */
import { apply, inContext } from '../apply.js';
import { checkOptions } from '../check-options.js';
import { ShapeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { formatShape, sizeOf, type Shape } from '../types.js';
import { normalizeAxes, normalizeAxis } from './axes.js';

/** The same elements in row-major order under another shape; one dimension may be −1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return apply('reshape', [x], () => {
    if (!shape.includes(-1)) return { shape: [...shape] };
    const known = sizeOf(shape.filter((dimension) => dimension !== -1));
    const rest = sizeOf(x.shape) / known;
    if (shape.filter((dimension) => dimension === -1).length > 1 || !Number.isInteger(rest)) {
      throw new ShapeError(`cannot reshape ${formatShape(x.shape)} to ${formatShape(shape)}.`);
    }
    return { shape: shape.map((dimension) => (dimension === -1 ? rest : dimension)) };
  });
}
/** Axes in another order; reversed by default. */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  return apply('transpose', [x], () => {
    const order = permutation ?? x.shape.map((_, axis) => x.rank - 1 - axis);
    return { permutation: order.map((axis) => normalizeAxis(axis, x.rank)) };
  });
}
/** The value repeated to `shape` by the rules of broadcasting. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  return apply('broadcastTo', [x], { shape: [...shape] });
}
/** Elements `start, start + stride, …` below `limit`, per axis. */
export function slice(
  x: Tensor,
  starts: readonly number[],
  limits: readonly number[],
  strides: readonly number[] = starts.map(() => 1),
): Tensor {
  return apply('slice', [x], { starts: [...starts], limits: [...limits], strides: [...strides] });
}
/** How many zeros, per axis; none by default. */
export interface Padding {
  readonly low?: readonly number[];
  readonly high?: readonly number[];
  readonly interior?: readonly number[];
}

/** Zeros before (`low`), after (`high`) and between (`interior`) the elements. */
export function pad(x: Tensor, padding: Padding): Tensor {
  return apply('pad', [x], () => {
    checkOptions<Padding>('pad', padding, { low: true, high: true, interior: true });
    const perAxis = (given: readonly number[] | undefined) => (given ? [...given] : x.shape.map(() => 0));
    return { low: perAxis(padding.low), high: perAxis(padding.high), interior: perAxis(padding.interior) };
  });
}
/** Tensors one after another along `axis`. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return apply('concat', tensors, () => ({ axis: normalizeAxis(axis, tensors[0]?.rank ?? 0) }));
}
/** As many tensors as there are lengths. */
type Parts<Lengths extends readonly number[]> = { -readonly [Part in keyof Lengths]: Tensor };

/** Consecutive parts of the given lengths along `axis`. */
export function split<const Lengths extends readonly number[]>(
  x: Tensor,
  lengths: Lengths,
  axis = -1,
): Parts<Lengths> {
  return inContext('split', [x], () => {
    const along = normalizeAxis(axis, x.rank);
    if (lengths.reduce((a, b) => a + b, 0) !== x.shape[along]) {
      throw new ShapeError(
        `lengths [${lengths.join(', ')}] do not add up to axis ${along} of ${formatShape(x.shape)}.`,
      );
    }
    let start = 0;
    return lengths.map((length) => {
      const from = start;
      start += length;
      const starts = x.shape.map((_, a) => (a === along ? from : 0));
      return slice(
        x,
        starts,
        x.shape.map((n, a) => (a === along ? from + length : n)),
      );
    }) as Tensor[] as Parts<Lengths>;
  });
}
/** Elements in the opposite order along `axes`. */
export function reverse(x: Tensor, axes: readonly number[]): Tensor {
  return apply('reverse', [x], () => ({ axes: normalizeAxes(axes, x.rank) }));
}
/** A new axis of size 1 at `axis`. */
export function expandDims(x: Tensor, axis: number): Tensor {
  return inContext('expandDims', [x], () => {
    const at = normalizeAxis(axis, x.rank + 1);
    return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
  });
}
