/**
 * Kernels of our own for tfjs backends that keep storages in the host's memory (CPU and Wasm). One strided copy does
 * every movement of data, whatever the dtype, rank, steps or padding: tfjs's own kernels take an index apart for every
 * element (CPU), copy the whole operand first (Wasm slice), or mistake one-byte bools for floats (Wasm reverse, tile).
 */
import { hostDTypeOf, sizeOf, type TensorType } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { each, stridesOf, type Each } from '@meanflow/core/backend';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { StoredValue } from '../program/program.js';
import { reshaped } from '../schedule.js';
import type { Emit, Emitter } from './emitter.js';

export type HostView = Float32Array | Int32Array | Uint8Array;

interface CpuStore {
  readonly data: { get(dataId: object): { values: HostView } };
  makeTensorInfo(shape: number[], dtype: string, values: HostView): TensorInfo;
}

interface WasmStore {
  makeOutput(shape: number[], dtype: string): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): HostView;
}

const views = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

const isWasm = (store: object): store is WasmStore => 'typedArrayFromHeap' in store;

/** A new tensor, and views of it and of the operands. Allocating may move Wasm's memory, so views are taken after. */
function allocate<Operands extends readonly TensorInfo[]>(
  store: object,
  { dtype, shape }: TensorType,
  operands: Operands,
): { tensor: TensorInfo; out: HostView; inputs: Each<Operands, HostView> } {
  if (isWasm(store)) {
    const tensor = store.makeOutput([...shape], dtype);
    return {
      tensor,
      out: store.typedArrayFromHeap(tensor),
      inputs: each(operands, (operand) => store.typedArrayFromHeap(operand)),
    };
  }
  const cpu = store as CpuStore;
  const out = new views[hostDTypeOf(dtype)](sizeOf(shape));
  return {
    tensor: cpu.makeTensorInfo([...shape], dtype, out),
    out,
    inputs: each(operands, ({ dataId }) => cpu.data.get(dataId).values),
  };
}

/** Adds a step that computes in the host's memory. `out` is not cleared: it may hold anything. */
export function hostKernel<const Inputs extends readonly StoredValue[]>(
  emitter: Emitter,
  name: string,
  inputs: Inputs,
  type: TensorType,
  compute: (out: HostView, inputs: Each<Inputs, HostView>) => void,
): StoredValue {
  const result = emitter.schedule.value(type);
  const { store } = emitter;
  emitter.step(name, inputs, result, (given) => {
    const { tensor, out, inputs: operands } = allocate(store, type, given);
    try {
      compute(out, operands);
    } catch (error) {
      store.disposeData(tensor.dataId);
      throw error;
    }
    return tensor;
  });
  return result;
}

/** Where elements lie: an offset, and a step per axis of the shape that is walked. */
interface Strided {
  readonly offset: number;
  readonly steps: readonly number[];
}

interface Walk {
  readonly shape: readonly number[];
  readonly from: Strided;
  readonly to: Strided;
}

/** The same walk over as few axes as possible: neighbours that are one run in both operands are one axis. */
function merged({ shape, from, to }: Walk): Walk {
  const axes: { n: number; a: number; b: number }[] = [];
  shape.forEach((n, axis) => {
    if (n === 1) return;
    const next = { n, a: from.steps[axis]!, b: to.steps[axis]! };
    const last = axes.at(-1);
    if (last !== undefined && last.a === next.a * n && last.b === next.b * n) {
      axes[axes.length - 1] = { n: last.n * n, a: next.a, b: next.b };
    } else axes.push(next);
  });
  if (axes.length === 0) axes.push({ n: 1, a: 1, b: 1 });
  return {
    shape: axes.map(({ n }) => n),
    from: { offset: from.offset, steps: axes.map(({ a }) => a) },
    to: { offset: to.offset, steps: axes.map(({ b }) => b) },
  };
}

function copy(source: HostView, target: HostView, { shape, from, to }: Walk): void {
  const last = shape.length - 1;
  const [n, a, b] = [shape[last]!, from.steps[last]!, to.steps[last]!];
  const walk = (axis: number, i: number, j: number): void => {
    if (axis < last) {
      for (let k = 0; k < shape[axis]!; k++)
        walk(axis + 1, i + k * from.steps[axis]!, j + k * to.steps[axis]!);
    } else if (b === 1 && a === 1 && n > 8) target.set(source.subarray(i, i + n), j);
    else if (b === 1 && a === 0) target.fill(source[i]!, j, j + n);
    else for (let k = 0; k < n; k++) target[j + k * b] = source[i + k * a]!;
  };
  walk(0, from.offset, to.offset);
}

/** A step that copies strided elements into a new tensor; with `clear`, zeros stand where none are written. */
function movement(
  emitter: Emitter,
  name: string,
  x: StoredValue,
  type: TensorType,
  walk: Walk,
  clear = false,
): StoredValue {
  const planned = merged(walk);
  return hostKernel(emitter, name, [x], type, (out, [source]) => {
    if (clear) out.fill(0);
    copy(source, out, planned);
  });
}

const dense = ({ shape }: TensorType): Strided => ({ offset: 0, steps: stridesOf(shape) });
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, n, axis) => sum + n * b[axis]!, 0);

type Moving = 'transpose' | 'broadcastTo' | 'slice' | 'pad' | 'reverse';

/** Every movement of data as a strided copy. */
export const movements: { readonly [K in Moving]: Emit<K> } = {
  transpose: ({ emitter, inputs: [x], attributes: { permutation }, output }) => {
    const steps = stridesOf(x.shape);
    const from = { offset: 0, steps: permutation.map((axis) => steps[axis]!) };
    return movement(emitter, 'transpose', x, output, { shape: output.shape, from, to: dense(output) });
  },
  broadcastTo: ({ emitter, inputs: [x], attributes: { shape }, output }) => {
    const lead = shape.length - x.shape.length;
    const own = stridesOf(x.shape);
    const steps = shape.map((_, axis) => (axis < lead || x.shape[axis - lead] === 1 ? 0 : own[axis - lead]!));
    return movement(emitter, 'broadcastTo', x, output, {
      shape,
      from: { offset: 0, steps },
      to: dense(output),
    });
  },
  slice: ({ emitter, inputs: [x], attributes: { starts, strides }, output }) => {
    const own = stridesOf(x.shape);
    const from = { offset: dot(starts, own), steps: own.map((step, axis) => step * strides[axis]!) };
    return movement(emitter, 'slice', x, output, { shape: output.shape, from, to: dense(output) });
  },
  pad: ({ emitter, inputs: [x], attributes: { low, interior }, output }) => {
    const own = stridesOf(output.shape);
    const to = { offset: dot(low, own), steps: own.map((step, axis) => step * (interior[axis]! + 1)) };
    return movement(emitter, 'pad', x, output, { shape: x.shape, from: dense(x), to }, true);
  },
  reverse: ({ emitter, inputs: [x], attributes: { axes }, output }) => {
    const own = stridesOf(x.shape);
    const isReversed = (axis: number) => axes.includes(axis);
    const offset = own.reduce(
      (sum, step, axis) => sum + (isReversed(axis) ? (x.shape[axis]! - 1) * step : 0),
      0,
    );
    const steps = own.map((step, axis) => (isReversed(axis) ? -step : step));
    const from = { offset, steps };
    return movement(emitter, 'reverse', x, output, { shape: x.shape, from, to: dense(output) });
  },
};

type Pairwise = 'mul' | 'div' | 'pow';
type Elementwise = 'cast' | 'log1p' | 'erf' | 'erfc';

/** Two operands, repeated to the result's shape, one by one. */
export const pairwise =
  (name: Pairwise, f: (a: number, b: number) => number): Emit<Pairwise> =>
  ({ emitter, inputs, output }) => {
    const operands = each(inputs, (input) => emitter.broadcast(input, output.shape));
    return hostKernel(emitter, name, operands, output, (out, [x, y]) => {
      for (let i = 0; i < out.length; i++) out[i] = f(x[i]!, y[i]!);
    });
  };

/** Elements one by one. */
export const elementwise =
  (name: Elementwise, f: (x: number) => number): Emit<Elementwise> =>
  ({ emitter, inputs, output }) =>
    hostKernel(emitter, name, inputs, output, (out, [x]) => {
      for (let i = 0; i < out.length; i++) out[i] = f(x[i]!);
    });

/**
 * Sums over axes in float64, rounded once: tfjs's Wasm kernel adds one term after another in float32, and both kernels
 * transpose what does not lie in rows. Each stretch of neighbouring axes is summed by itself, the last first.
 */
export const sums: Emit<'reduceSum'> = ({ emitter, inputs: [x], attributes: { axes }, output }) => {
  const { dtype, shape } = x;
  let current = x;
  let after = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (!axes.includes(axis)) {
      after *= shape[axis]!;
      continue;
    }
    let size = shape[axis]!;
    while (axes.includes(axis - 1)) size *= shape[--axis]!;
    const before = sizeOf(shape.slice(0, axis));
    if (size > 1) current = sumStretch(emitter, current, { dtype, shape: [before, after] }, size);
  }
  return reshaped(current, output.shape);
};

/** `[before, size, after]` to `[before, after]`. */
function sumStretch(emitter: Emitter, x: StoredValue, type: TensorType, size: number): StoredValue {
  const [before, after] = leading(type.shape, 2);
  return hostKernel(emitter, 'reduceSum', [x], type, (out, [terms]) => {
    if (after === 1) {
      for (let i = 0; i < before; i++) {
        let total = 0;
        for (let k = i * size; k < (i + 1) * size; k++) total += terms[k]!;
        out[i] = total;
      }
      return;
    }
    const totals = new Float64Array(after);
    for (let i = 0; i < before; i++) {
      totals.fill(0);
      for (let k = 0; k < size; k++) {
        const row = (i * size + k) * after;
        for (let j = 0; j < after; j++) totals[j]! += terms[row + j]!;
      }
      for (let j = 0; j < after; j++) out[i * after + j] = totals[j]!;
    }
  });
}

/** Rows of a table; one that it does not have is filled. */
export const gatherRows: Emit<'gather'> = ({ emitter, inputs, attributes: { fill }, output }) => {
  const rows = inputs[0].shape[0]!;
  const width = sizeOf(inputs[0].shape) / rows;
  return hostKernel(emitter, 'gather', inputs, output, (out, [table, indices]) => {
    indices.forEach((row, i) => {
      if (row >= 0 && row < rows) out.set(table.subarray(row * width, (row + 1) * width), i * width);
      else out.fill(fill, i * width, (i + 1) * width);
    });
  });
};

/** Index of the greatest of each row, the first of equals; a NaN is greater than every number. */
export const firstMaximum: Emit<'argMax'> = ({ emitter, inputs, output }) => {
  const width = inputs[0].shape[1]!;
  return hostKernel(emitter, 'argMax', inputs, output, (out, [x]) => {
    for (let i = 0; i < out.length; i++) {
      let best = i * width;
      for (let k = best + 1; k < (i + 1) * width && !Number.isNaN(x[best]!); k++)
        if (!(x[k]! <= x[best]!)) best = k;
      out[i] = best - i * width;
    }
  });
};

/** Adds rows into a table of zeros; an update whose index is outside of it is left out. */
export const scatterRows: Emit<'scatterAdd'> = ({ emitter, inputs, attributes: { rows }, output }) => {
  const width = sizeOf(output.shape) / rows;
  return hostKernel(emitter, 'scatterAdd', inputs, output, (out, [updates, indices]) => {
    out.fill(0);
    indices.forEach((row, i) => {
      if (row < 0 || row >= rows) return;
      for (let k = 0; k < width; k++) out[row * width + k]! += updates[i * width + k]!;
    });
  });
};
