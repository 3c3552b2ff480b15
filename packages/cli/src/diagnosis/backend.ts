/**
 * Whether a backend runs here: it does when it has just computed a derivative correctly, not when its package is installed. It
 * takes float16 when it has just rounded a product to it.
 */
import {
  BackendError,
  compile,
  hostArray,
  jvp,
  MeanflowError,
  mul,
  spec,
  sum,
  tanh,
  trace,
  type Backend,
  type Tensor,
  type TensorSpec,
  type TracedFunction,
} from '@meanflow/core';
import type { BackendEntry } from '@meanflow/runs/node';
import { attempt, type Finding } from './finding.js';

/** Opens the backend and computes with it. An optional one that does not open is absent; one that computes wrong has failed. */
export async function examineBackend(
  entry: BackendEntry,
  { isOptional = entry.isOptional ?? true }: { readonly isOptional?: boolean } = {},
): Promise<Finding> {
  const { name, description } = entry;
  let backend: Backend;
  try {
    backend = await entry.open();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { subject: name, status: isOptional ? 'absent' : 'failed', text };
  }
  return attempt(name, 'failed', async () => {
    try {
      await checkDerivative(backend);
      const { description: device, versions } = backend.describe();
      const libraries = Object.entries(versions).map(([library, version]) => `${library} ${version}`);
      const worked = `computed a derivative correctly on: ${[device, ...libraries].join(', ')}`;
      const sentences = description === undefined ? worked : `${description}; ${worked}`;
      const refusal = await float16Refusal(backend);
      return refusal === undefined ? `${sentences}; takes float16` : `${sentences}\n${refusal}`;
    } finally {
      await backend.dispose();
    }
  });
}

/** The derivative of Σ tanh(x²) at x along x is Σ 2x²(1 − tanh²(x²)). */
async function checkDerivative(on: Backend): Promise<void> {
  const total = (x: Tensor): Tensor => sum(tanh(mul(x, x)));
  const traced = trace((x: Tensor) => jvp(total, [x], [x])[1], spec([2]), { name: 'doctor' });
  const points = [0.5, -1];
  const expected = points.reduce((value, x) => value + 2 * x * x * (1 - Math.tanh(x * x) ** 2), 0);
  const value = await computed(on, traced, points);
  if (!(Math.abs(value - expected) < 1e-5)) throw wrong('a derivative', value, expected);
}

/**
 * Why a backend does not compute in float16, or undefined when it does: of 1 + 2⁻¹⁰, next to 1 there, the square is
 * 1 + 2⁻⁹ + 2⁻²⁰, of which float16 has no more than 1 + 2⁻⁹.
 */
async function float16Refusal(on: Backend): Promise<string | undefined> {
  const traced = trace((x: Tensor) => mul(x, x), spec([1], 'float16'), { name: 'doctor' });
  let value: number;
  try {
    value = await computed(on, traced, [1 + 2 ** -10]);
  } catch (error) {
    if (error instanceof BackendError && error.message.includes('float16')) return error.message;
    throw error;
  }
  const expected = 1 + 2 ** -9;
  if (value !== expected) throw wrong('a product in float16', value, expected);
  return undefined;
}

/** The one element of what a function of numbers computes. */
async function computed(
  on: Backend,
  traced: TracedFunction<TensorSpec, Tensor>,
  points: readonly number[],
): Promise<number> {
  const compiled = await compile(on, traced);
  try {
    const output = await compiled.run(hostArray(points));
    return (await output.read()).item();
  } finally {
    await compiled.dispose();
  }
}

function wrong(what: string, value: number, expected: number): MeanflowError {
  return new MeanflowError(
    `it computes wrong numbers here: ${what} came out as ${value}, expected ${expected}`,
  );
}
