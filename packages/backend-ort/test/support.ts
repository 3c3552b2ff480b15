/** What the tests share: one backend, and the comparison of a graph's outputs with the reference interpreter's. */
import {
  hostArray,
  interpret,
  RandomKey,
  spec,
  trace,
  type DType,
  type Graph,
  type HostArray,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { ortBackend, type OrtBackend } from '../src/index.js';

export const ort = () => import('onnxruntime-node');

let shared: Promise<OrtBackend> | undefined;
export const backend = (): Promise<OrtBackend> => (shared ??= ortBackend({ ort, threads: 2 }));

/** 2⁻²⁴: the largest relative error of rounding a number to float32. */
const HALF_ULP = 2 ** -24;

/**
 * Largest error allowed, in roundings of float32: `|got − expected| ≤ n · 2⁻²⁴ · max(|expected|, scale)`.
 *
 * - `exact`: data movement, comparison, integers: the very bits of the float32 inputs.
 * - `arithmetic`: one correctly rounded operation.
 * - `function`: ONNX Runtime's polynomials for exp, tanh, … are accurate to a few units in the last place of numbers
 *   around 1 (its sigmoid is 0 below −18: absolute, not relative).
 * - `sum`: sums and products of up to a few hundred terms, each rounded; `scale` is the sum of the magnitudes.
 */
export const roundings = { exact: 0, arithmetic: 1, function: 8, sum: 32 } as const;
export type Accuracy = keyof typeof roundings;

/** Runs a graph on the backend and reads every output. */
export async function runGraph(
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<Record<string, HostArray>> {
  const executable = await (await backend()).compile(graph);
  try {
    const outputs = await executable.run(inputs);
    const read = Object.entries(outputs).map(async ([name, array]) => [name, await array.read()] as const);
    return Object.fromEntries(await Promise.all(read));
  } finally {
    await executable.dispose();
  }
}

/** Checks one array against the reference, element by element; NaN equals NaN and infinities equal themselves. */
export function expectClose(got: HostArray, expected: HostArray, accuracy: Accuracy, scale = 1): void {
  expect(got.shape).toEqual(expected.shape);
  expect(got.dtype).toBe(expected.dtype === 'float64' ? 'float32' : expected.dtype);
  const wrong: string[] = [];
  got.data.forEach((value, i) => {
    const wanted = got.dtype === 'float32' ? Math.fround(expected.data[i]) : expected.data[i];
    const tolerance =
      roundings[accuracy] * HALF_ULP * Math.max(Math.abs(wanted), accuracy === 'exact' ? 0 : scale);
    if (value === wanted || (Number.isNaN(value) && Number.isNaN(wanted))) return;
    if (!(Math.abs(value - expected.data[i]) <= tolerance))
      wrong.push(`[${i}] ${value} instead of ${wanted}`);
  });
  expect(wrong).toEqual([]);
}

/** Traces `f` at the arrays' types, and checks its result on the backend against the reference interpreter. */
export async function check(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly HostArray[],
  accuracy: Accuracy,
  scale = 1,
): Promise<void> {
  const { graph } = trace(
    (list: readonly Tensor[]) => ({ result: f(...list) }),
    inputs.map(({ dtype, shape }) => spec(shape, dtype as DType)),
  );
  const named = Object.fromEntries(inputs.map((array, i) => [String(i), array]));
  const got = await runGraph(graph, named);
  expectClose(got.result, interpret(graph, named).result, accuracy, scale);
}

const key = RandomKey.fromSeed(7);

/** Normal float32 numbers; equal arguments give equal numbers. */
export const normal = (shape: Shape, stream = 'x'): HostArray => key.fold(stream).normal(shape);

export const floats = (values: number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Float32Array.from(values), { shape });
export const ints = (values: number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Int32Array.from(values), { dtype: 'int32', shape });
export const bools = (values: number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Uint8Array.from(values), { dtype: 'bool', shape });
