/**
 * A graph's outputs beside the reference interpreter's, in roundings of float32: for what an adapter does better than the
 * kit asks. The kit's own tolerances are in `numerics/`.
 */
import {
  spec,
  trace,
  type Backend,
  type DType,
  type Graph,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import { interpret } from '@meanflow/core/backend';
import { expect, runAndRead, withExecutable } from '../cases/behaviour.js';

/** 2⁻²⁴: the largest relative error of rounding a number to float32. */
const HALF_ULP = 2 ** -24;

/**
 * Largest error allowed, in roundings of float32: `|got − expected| ≤ n · 2⁻²⁴ · max(|expected|, scale)`.
 *
 * - `exact`: data movement, comparison, integers: the very bits of the float32 inputs, the sign of a zero included.
 * - `arithmetic`: one correctly rounded operation.
 * - `function`: approximations of exp, tanh, … accurate to a few units in the last place of numbers around 1; that their
 *   tails are accurate relative to themselves is the kit's to say.
 * - `sum`: sums and products of up to a few hundred terms, each rounded; `scale` is the sum of the magnitudes.
 */
export const roundings = { exact: 0, arithmetic: 1, function: 8, sum: 32 } as const;
export type Accuracy = keyof typeof roundings;

/** Runs a graph on a backend and reads every output. */
export const runGraph = (
  backend: Backend,
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<Record<string, HostArray>> =>
  withExecutable(backend, graph, {}, (executable) => runAndRead(executable, inputs));

const shown = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/**
 * Checks one array against the reference, element by element; NaN equals NaN and infinities equal themselves.
 *
 * @throws {MeanflowError} that names the elements which differ
 */
export function expectClose(got: HostArray, expected: HostArray, accuracy: Accuracy, scale = 1): void {
  const dtype = expected.dtype === 'float64' ? 'float32' : expected.dtype;
  const described = (type: string, { shape }: HostArray): string => `${type}[${shape.join(', ')}]`;
  const [is, shouldBe] = [described(got.dtype, got), described(dtype, expected)];
  expect(is === shouldBe, `Expected ${shouldBe}, got ${is}.`);
  const wrong: string[] = [];
  got.data.forEach((value, i) => {
    const wanted = dtype === 'float32' ? Math.fround(expected.data[i]!) : expected.data[i]!;
    if (Object.is(value, wanted)) return;
    const isExact = accuracy === 'exact';
    const tolerance = roundings[accuracy] * HALF_ULP * Math.max(Math.abs(wanted), isExact ? 0 : scale);
    if (!isExact && (value === wanted || Math.abs(value - expected.data[i]!) <= tolerance)) return;
    wrong.push(`[${i}] ${shown(value)} instead of ${shown(wanted)}`);
  });
  expect(
    wrong.length === 0,
    `${wrong.length} of ${got.size} elements are wrong: ${wrong.slice(0, 10).join('; ')}.`,
  );
}

/** Traces `f` at the arrays' types, and checks its result on a backend against the reference interpreter. */
export async function check(
  backend: Backend,
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
  const { result } = pick(await runGraph(backend, graph, named), 'result');
  expectClose(result, interpret(graph, named).result!, accuracy, scale);
}
