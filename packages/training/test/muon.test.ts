/** Muon and the partition against optax, step by step; data/make_muon.py says how the expected values were made. */
import { readFileSync } from 'node:fs';
import { hostArray, hostZeros } from '@meanflow/core';
import { adam, muon, partition } from '../src/index.js';
import { parametersFrom, runTransform } from './support/run-transform.js';

type Values = Readonly<Record<'wide' | 'tall' | 'bias', number[] & number[][]>>;
const optax = JSON.parse(readFileSync(new URL('./data/muon.json', import.meta.url), 'utf8')) as {
  readonly rates: readonly number[];
  readonly start: Values;
  readonly gradients: readonly Values[];
  readonly steps: readonly Values[];
};

const learningRate = (step: number): number => optax.rates[step];
const optimizer = partition((_, shape) => (shape.length === 2 ? 'muon' : 'adam'), {
  muon: muon({ learningRate }),
  adam: adam({ learningRate, beta2: 0.95, nesterov: true }),
});

test('matrices by Muon, the rest by Adam, as optax does', async () => {
  const history = await runTransform(
    optimizer,
    parametersFrom(optax.start),
    optax.gradients.map(parametersFrom),
  );
  history.forEach(({ params }, step) => {
    for (const [name, expected] of Object.entries(optax.steps[step])) {
      const found = params[name].data;
      // The state is rounded to float32 between steps, and the iterations enlarge what is small.
      (expected.flat() as number[]).forEach((value, i) =>
        expect(Math.abs(found[i] - value)).toBeLessThan(1e-6),
      );
    }
  });
  expect(history).toHaveLength(5);
  expect(optimizer.learningRate!(1)).toBe(0.01);
});

test('the step has singular values near one, whatever those of the gradient', async () => {
  const gradient = hostArray([[3, 0, 0], [0, 1e-3, 0]]); // prettier-ignore
  const zero = hostZeros([2, 3]);
  const [{ params }] = await runTransform(muon({ learningRate: 1 }), { w: zero }, [{ w: gradient }]);
  const scale = Math.sqrt(1.5);
  expect(params.w.data[0] / -scale).toBeGreaterThan(0.6);
  expect(params.w.data[0] / -scale).toBeLessThan(1.3);
  // Five iterations multiply a small one by 3.4445⁵ at most.
  expect(params.w.data[4] / -scale).toBeCloseTo((1e-3 / 3) * 3.4445 ** 5, 2);
  expect(params.w.data[1]).toBeCloseTo(0, 6);
});

test('errors', async () => {
  expect(() => muon({ learningRate: 1, beta: 1 })).toThrow(/beta lies in \[0, 1\), got 1/);
  expect(() => muon({ learningRate: 1 }).init({ b: hostZeros([3]) })).toThrow(/"b" is float32\[3\], not a matrix; give it to another optimizer by partition/); // prettier-ignore
  const strange = partition(() => 'sgd' as 'adam', { adam: adam({ learningRate: 1 }) });
  expect(() => strange.init({ b: hostZeros([3]) })).toThrow(/"b" is for "sgd", which is none of adam/);
});
