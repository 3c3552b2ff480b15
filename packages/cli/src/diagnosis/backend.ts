/** Whether a backend runs here: it does when it has just computed a derivative correctly, not when its package is installed. */
import {
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
      return description === undefined ? worked : `${description}; ${worked}`;
    } finally {
      await backend.dispose();
    }
  });
}

/** The derivative of Σ tanh(x²) at x along x is Σ 2x²(1 − tanh²(x²)). */
async function checkDerivative(on: Backend): Promise<void> {
  const total = (x: Tensor): Tensor => sum(tanh(mul(x, x)));
  const traced = trace((x: Tensor) => jvp(total, [x], [x])[1], spec([2]), { name: 'doctor' });
  const compiled = await compile(on, traced);
  try {
    const points = [0.5, -1];
    const expected = points.reduce((value, x) => value + 2 * x * x * (1 - Math.tanh(x * x) ** 2), 0);
    const output = await compiled.run(hostArray(points));
    const value = (await output.read()).item();
    if (!(Math.abs(value - expected) < 1e-5)) {
      throw new MeanflowError(
        `it computes wrong numbers here: a derivative came out as ${value}, expected ${expected}`,
      );
    }
  } finally {
    await compiled.dispose();
  }
}
