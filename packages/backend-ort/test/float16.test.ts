/** float16 on ONNX Runtime's CPU provider: every kind of op on it gives what the interpreter does, by both bindings. */
import {
  autocast,
  cast,
  concat,
  exp,
  hostArray,
  isFinite,
  matmul,
  maximum,
  referenceBackend,
  softmax,
  spec,
  sum,
  trace,
  where,
  type Backend,
  type Tensor,
} from '@meanflow/core';
import { ortBackend } from '../src/index.js';

const step = ({ x, w, kept }: { x: Tensor; w: Tensor; kept: Tensor }) => {
  const h = cast(x, 'float16');
  const network = autocast((y: Tensor) => softmax(matmul(matmul(y, w), w).mul(0.5)));
  const moved = concat([h.transpose().reshape([2, 4]), h.mul(2).reshape([2, 4])], 1);
  return {
    kept: kept.add(moved),
    network: network(x),
    exact: exp(h),
    total: sum(h, 0),
    greatest: maximum(h, 0.25),
    finite: cast(isFinite(h.mul(1e5)), 'int32'),
    chosen: where(isFinite(h), h, 1),
  };
};

const w = hostArray([
  [0.3, -0.2],
  [0.7, 0.1],
]);
const x = hostArray([
  [0.1, -1000],
  [65504, 6e-8],
  [NaN, 1],
  [-Infinity, 3],
]);
const kept = hostArray(Array.from({ length: 16 }, (_, i) => i / 3)).reshape([2, 8]);

async function run(backend: Backend): Promise<Record<string, readonly number[]>> {
  const { graph } = trace(step, { x: spec([4, 2]), w: spec([2, 2]), kept: spec([2, 8], 'float16') });
  await using executable = await backend.compile(graph, { state: { kept: 'kept' } });
  const first = await executable.run({ x, w, kept });
  const second = await executable.run({ x, w, kept: first.kept });
  const read = Object.entries(second).map(
    async ([name, array]) => [name, [...(await array.read()).data]] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

test.each(['native', 'public'] as const)(
  'the %s binding computes in float16 as the interpreter does',
  async (binding) => {
    await using reference = referenceBackend();
    await using backend = await ortBackend({ ort: () => import('onnxruntime-node'), binding });
    const [expected, got] = [await run(reference), await run(backend)];
    for (const [name, values] of Object.entries(expected)) {
      values.forEach((value, i) => {
        const found = got[name]![i]!;
        if (!Number.isFinite(value)) expect([name, i, found]).toEqual([name, i, value]);
        else expect(Math.abs(found - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -10 + 2 ** -14);
      });
    }
  },
);
