/** Ops that only move elements: each is a list of places to read from, or to write to, found when the graph is compiled. */
import { sizeOf } from '@meanflow/core';
import { stridesOf, type OpAttributes } from '@meanflow/core/backend';
import { allocate, broadcastOffsets, offsets, pick, type Data } from '../values.js';
import type { Kernel, KernelTable } from './kernel.js';

/** The result's elements, read at these places of the operand. */
function reading<A>(places: (instruction: Parameters<Kernel<1, A>>[0]) => Int32Array): Kernel<1, A> {
  return (instruction) => {
    const from = places(instruction);
    return (x) => {
      const out = allocate(instruction.output);
      for (let i = 0; i < out.length; i++) out[i] = x[from[i]!]!;
      return out;
    };
  };
}

const copy = () => (x: Data) => x.slice();

const slice: KernelTable['slice'] = reading(({ inputs: [x], output, attributes: { starts, strides } }) => {
  const steps = stridesOf(x.shape);
  const start = starts.reduce((sum, at, axis) => sum + at * steps[axis]!, 0);
  return offsets(
    output.shape,
    steps.map((step, axis) => step * strides[axis]!),
    start,
  );
});

const reverse: KernelTable['reverse'] = reading(({ inputs: [x], output, attributes: { axes } }) => {
  const steps = stridesOf(x.shape).map((step, axis) => (axes.includes(axis) ? -step : step));
  const start = axes.reduce((sum, axis) => sum - (x.shape[axis]! - 1) * steps[axis]!, 0);
  return offsets(output.shape, steps, start);
});

const pad: KernelTable['pad'] = ({ inputs: [x], output, attributes: { low, interior } }) => {
  const steps = stridesOf(output.shape);
  const start = low.reduce((sum, n, axis) => sum + n * steps[axis]!, 0);
  const to = offsets(
    x.shape,
    steps.map((step, axis) => step * (interior[axis]! + 1)),
    start,
  );
  return (data) => {
    const out = allocate(output);
    to.forEach((place, i) => (out[place] = data[i]!));
    return out;
  };
};

const concat: KernelTable['concat'] = ({ inputs, output, attributes: { axis } }) => {
  const steps = stridesOf(output.shape);
  let start = 0;
  const places = inputs.map(({ shape }) => {
    const to = offsets(shape, steps, start);
    start += shape[axis]! * steps[axis]!;
    return to;
  });
  return (...parts) => {
    const out = allocate(output);
    parts.forEach((part, k) => places[k]!.forEach((place, i) => (out[place] = part[i]!)));
    return out;
  };
};

/** Rows that the table does not have are filled. */
const gather: KernelTable['gather'] = ({ inputs: [table], output, attributes: { fill } }) => {
  const width = sizeOf(table.shape.slice(1));
  return (rows, indices) => {
    const out = allocate(output).fill(fill);
    indices.forEach((row, i) => {
      if (row >= 0 && row < table.shape[0]!)
        out.set(rows.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  };
};

/** Updates of rows that the table does not have are left out. */
const scatterAdd: KernelTable['scatterAdd'] = ({ output }) => {
  const width = sizeOf(output.shape.slice(1));
  return (updates, indices) => {
    const out = allocate(output);
    indices.forEach((row, i) => {
      if (row < 0 || row >= output.shape[0]!) return;
      for (let k = 0; k < width; k++) out[row * width + k]! += updates[i * width + k]!;
    });
    return out;
  };
};

export const movementKernels = {
  constant: ({ output, attributes: { value } }) => {
    const out = allocate(output);
    out.set(value.data);
    return () => out.slice();
  },
  iota: ({ output, attributes: { axis } }) => {
    const out = allocate(output);
    offsets(
      output.shape,
      output.shape.map((_, a) => Number(a === axis)),
    ).forEach((coordinate, i) => (out[i] = coordinate));
    return () => out.slice();
  },
  reshape: copy,
  transpose: reading<OpAttributes['transpose']>(({ inputs: [x], output, attributes: { permutation } }) =>
    offsets(output.shape, pick(stridesOf(x.shape), permutation)),
  ),
  broadcastTo: reading<unknown>(({ inputs: [x], output }) => broadcastOffsets(x.shape, output.shape)),
  slice,
  pad,
  concat,
  reverse,
  gather,
  scatterAdd,
  stopGradient: copy,
  optimizationBarrier: copy,
} satisfies Partial<KernelTable>;
