/** Shape ops: they move elements and compute nothing. */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, sameShape, sizeOf, stridesOf, type Shape, type TensorType } from '../types.js';
import { broadcastIndices, broadcastShapes, checkShape, stridedIndices } from './broadcasting.js';
import { allocate, free, type Meaning, type RefData, type RefValue } from './definition.js';

function take(x: RefValue, indices: Int32Array, type: TensorType): RefData {
  const out = allocate(type.dtype, indices.length);
  for (let i = 0; i < out.length; i++) out[i] = x.data[indices[i]!]!;
  return out;
}

function checkPerAxis(shape: Shape, lists: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, list] of Object.entries(lists)) {
    if (list.length !== shape.length || !list.every(Number.isInteger)) {
      throw new ArgumentError(
        `${name} needs one integer per axis of ${formatShape(shape)}, got [${list.join(', ')}].`,
      );
    }
  }
}

const reshapeOp: Meaning<'reshape'> = {
  infer: ([x], { shape }) => {
    checkShape(shape);
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw new ShapeError(
        `cannot reshape ${formatShape(x.shape)} (${sizeOf(x.shape)} elements) to ${formatShape(shape)}.`,
      );
    }
    return { dtype: x.dtype, shape };
  },
  evaluate: ([x]) => x.data,
  flops: free,
};

const transposeOp: Meaning<'transpose'> = {
  infer: ([x], { permutation }) => {
    if (
      !sameShape(
        [...permutation].sort((a, b) => a - b),
        x.shape.map((_, axis) => axis),
      )
    ) {
      throw new ArgumentError(
        `[${permutation.join(', ')}] is not a permutation of the axes of ${formatShape(x.shape)}.`,
      );
    }
    return { dtype: x.dtype, shape: permutation.map((axis) => x.shape[axis]!) };
  },
  evaluate: ([x], { permutation }, type) => {
    const strides = stridesOf(x.shape);
    return take(
      x,
      stridedIndices(
        permutation.map((axis) => strides[axis]!),
        type.shape,
        0,
      ),
      type,
    );
  },
  flops: free,
};

const broadcastToOp: Meaning<'broadcastTo'> = {
  infer: ([x], { shape }) => {
    checkShape(shape);
    if (!sameShape(broadcastShapes([x.shape, shape]), shape)) {
      throw new ShapeError(`${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}.`);
    }
    return { dtype: x.dtype, shape };
  },
  evaluate: ([x], _, type) => take(x, broadcastIndices(x.shape, type.shape), type),
  flops: free,
};

const sliceOp: Meaning<'slice'> = {
  infer: ([x], { starts, limits, strides }) => {
    checkPerAxis(x.shape, { starts, limits, strides });
    const shape = x.shape.map((dimension, axis) => {
      const [start, limit, stride] = [starts[axis]!, limits[axis]!, strides[axis]!];
      if (start < 0 || limit < start || limit > dimension || stride < 1) {
        throw new ArgumentError(
          `slice ${start}:${limit}:${stride} is out of range for axis ${axis} of ${formatShape(x.shape)}.`,
        );
      }
      return Math.ceil((limit - start) / stride);
    });
    return { dtype: x.dtype, shape };
  },
  evaluate: ([x], { starts, strides }, type) => {
    const steps = stridesOf(x.shape);
    const offset = starts.reduce((sum, start, axis) => sum + start * steps[axis]!, 0);
    return take(
      x,
      stridedIndices(
        steps.map((step, axis) => step * strides[axis]!),
        type.shape,
        offset,
      ),
      type,
    );
  },
  flops: free,
};

/** Zeros before, after and between the elements of each axis. */
const padOp: Meaning<'pad'> = {
  infer: ([x], { low, high, interior }) => {
    checkPerAxis(x.shape, { low, high, interior });
    if ([low, high, interior].some((list) => list.some((n) => n < 0))) {
      throw new ArgumentError('padding is not negative; use slice to crop.');
    }
    const shape = x.shape.map(
      (n, axis) => low[axis]! + high[axis]! + n + Math.max(0, n - 1) * interior[axis]!,
    );
    return { dtype: x.dtype, shape };
  },
  evaluate: ([x], { low, interior }, type) => {
    const out = allocate(type.dtype, sizeOf(type.shape));
    const steps = stridesOf(type.shape);
    const offset = low.reduce((sum, n, axis) => sum + n * steps[axis]!, 0);
    const places = stridedIndices(
      steps.map((step, axis) => step * (interior[axis]! + 1)),
      x.shape,
      offset,
    );
    places.forEach((place, i) => (out[place] = x.data[i]!));
    return out;
  },
  flops: free,
};

const concatOp: Meaning<'concat'> = {
  infer: (inputs, { axis }) => {
    const [first] = inputs;
    if (first === undefined) throw new ArgumentError('needs at least one tensor.');
    if (!(axis >= 0 && axis < first.shape.length)) {
      throw new ArgumentError(`axis ${axis} is out of range for ${formatShape(first.shape)}.`);
    }
    for (const { dtype, shape } of inputs) {
      if (dtype !== first.dtype)
        throw new DTypeError(`tensors of ${first.dtype} and ${dtype} do not concatenate.`);
      if (shape.length !== first.shape.length || shape.some((n, a) => a !== axis && n !== first.shape[a])) {
        throw new ShapeError(
          `${formatShape(first.shape)} and ${formatShape(shape)} do not concatenate along axis ${axis}: other axes must agree.`,
        );
      }
    }
    const length = inputs.reduce((total, { shape }) => total + shape[axis]!, 0);
    return { dtype: first.dtype, shape: first.shape.map((n, a) => (a === axis ? length : n)) };
  },
  evaluate: (inputs, { axis }, type) => {
    const out = allocate(type.dtype, sizeOf(type.shape));
    const steps = stridesOf(type.shape);
    let offset = 0;
    for (const { shape, data } of inputs) {
      stridedIndices(steps, shape, offset).forEach((place, i) => (out[place] = data[i]!));
      offset += shape[axis]! * steps[axis]!;
    }
    return out;
  },
  flops: free,
};

const reverseOp: Meaning<'reverse'> = {
  infer: ([x], { axes }) => {
    if (!axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < x.shape.length)) {
      throw new ArgumentError(`axes [${axes.join(', ')}] are out of range for ${formatShape(x.shape)}.`);
    }
    return x;
  },
  evaluate: ([x], { axes }, type) => {
    const steps = stridesOf(x.shape);
    const offset = axes.reduce((sum, axis) => sum + Math.max(0, x.shape[axis]! - 1) * steps[axis]!, 0);
    const signed = steps.map((step, axis) => (axes.includes(axis) ? -step : step));
    return take(x, stridedIndices(signed, x.shape, offset), type);
  },
  flops: free,
};

export const shapeOps = {
  reshape: reshapeOp,
  transpose: transposeOp,
  broadcastTo: broadcastToOp,
  slice: sliceOp,
  pad: padOp,
  concat: concatOp,
  reverse: reverseOp,
};
