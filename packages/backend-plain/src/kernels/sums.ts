/** Reductions and contractions. Sums are accumulated in float64 and rounded once. */
import { sizeOf, type Shape, type TensorType } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { freeAxes, ofNothing, stridesOf, type PrimitiveName } from '@meanflow/core/backend';
import { allocate, offsets, pick } from '../values.js';
import type { Kernel, KernelTable } from './kernel.js';

/** Where each result's group begins, and the places within a group. */
function groups({ shape }: TensorType, axes: readonly number[]) {
  const strides = stridesOf(shape);
  const kept = freeAxes(shape.length, [], axes);
  return {
    starts: offsets(pick(shape, kept), pick(strides, kept)),
    within: offsets(pick(shape, axes), pick(strides, axes)),
  };
}

function reduction(op: PrimitiveName, f: (a: number, b: number) => number) {
  const kernel: Kernel<1, { readonly axes: readonly number[] }> = ({
    inputs: [type],
    output,
    attributes,
  }) => {
    const { starts, within } = groups(type, attributes.axes);
    const first = ofNothing(op, output.dtype, attributes);
    return (x) => {
      const out = allocate(output);
      starts.forEach((start, i) => {
        let accumulated = first;
        for (let k = 0; k < within.length; k++) accumulated = f(accumulated, x[start + within[k]!]!);
        out[i] = accumulated;
      });
      return out;
    };
  };
  return kernel;
}

/** A NaN is greater than every number. */
const isGreater = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

const argMax: KernelTable['argMax'] = ({ inputs: [type], output, attributes: { axis } }) => {
  const { starts, within } = groups(type, [axis]);
  return (x) => {
    const out = allocate(output);
    starts.forEach((start, i) => {
      let best = 0;
      for (let k = 1; k < within.length; k++)
        if (isGreater(x[start + within[k]!]!, x[start + within[best]!]!)) best = k;
      out[i] = best;
    });
    return out;
  };
};

const dotGeneral: KernelTable['dotGeneral'] = ({ inputs: [a, b], output, attributes: d }) => {
  const walk = ({ shape }: TensorType, axes: readonly number[]) =>
    offsets(pick(shape, axes), pick(stridesOf(shape), axes));
  const [batchA, batchB] = [walk(a, d.lhsBatch), walk(b, d.rhsBatch)];
  const rows = walk(a, freeAxes(a.shape.length, d.lhsBatch, d.lhsContracting));
  const columns = walk(b, freeAxes(b.shape.length, d.rhsBatch, d.rhsContracting));
  const [alongA, alongB] = [walk(a, d.lhsContracting), walk(b, d.rhsContracting)];
  return (x, y) => {
    const out = allocate(output);
    let at = 0;
    for (let n = 0; n < batchA.length; n++) {
      for (const row of rows) {
        for (const column of columns) {
          const [i, j] = [batchA[n]! + row, batchB[n]! + column];
          let sum = 0;
          for (let k = 0; k < alongA.length; k++) sum += x[i + alongA[k]!]! * y[j + alongB[k]!]!;
          out[at++] = sum;
        }
      }
    }
    return out;
  };
};

/** Every coordinate of a shape. */
function coordinates(shape: Shape): number[][] {
  const strides = stridesOf(shape);
  return Array.from({ length: sizeOf(shape) }, (_, i) =>
    shape.map((n, axis) => Math.floor(i / strides[axis]!) % n),
  );
}

const conv: KernelTable['conv'] = ({ inputs: [x, kernel], output, attributes: w }) => {
  const space = x.shape.slice(2);
  const steps = stridesOf(x.shape);
  const windowPlaces = coordinates(kernel.shape.slice(2));
  // For each place of the result and of the window: which input meets it, or −1 in padding and gaps.
  const meets = coordinates(output.shape.slice(2)).map((place) =>
    windowPlaces.map((k) => {
      const at = space.map(
        (_, a) =>
          (place[a]! * w.strides[a]! + k[a]! * w.rhsDilation[a]! - w.padding[a]![0]) / w.lhsDilation[a]!,
      );
      const inside = at.every((n, a) => Number.isInteger(n) && n >= 0 && n < space[a]!);
      return inside ? at.reduce((sum, n, a) => sum + n * steps[a + 2]!, 0) : -1;
    }),
  );
  const [batch, features] = leading(output.shape, 2);
  const channels = kernel.shape[1]!;
  const windowSize = windowPlaces.length;
  return (data, weights) => {
    const out = allocate(output);
    let at = 0;
    for (let b = 0; b < batch; b++) {
      for (let f = 0; f < features; f++) {
        const first = Math.floor((f * w.groups) / features) * channels;
        for (const places of meets) {
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            const [i, j] = [b * steps[0]! + (first + c) * steps[1]!, (f * channels + c) * windowSize];
            for (let k = 0; k < windowSize; k++)
              if (places[k]! >= 0) sum += data[i + places[k]!]! * weights[j + k]!;
          }
          out[at++] = sum;
        }
      }
    }
    return out;
  };
};

export const sumKernels = {
  reduceSum: reduction('reduceSum', (a, b) => a + b),
  reduceMax: reduction('reduceMax', Math.max),
  argMax,
  dotGeneral,
  conv,
};
