import { mul, neg, referenceBackend, transpose, type Tensor } from '@meanflow/core';
import { runConformance, type Case } from '../src/index.js';
import { withRule } from './support/op-table.js';

/** Ids of the failing cases, of one way to take a derivative. */
async function failing(mode: 'tangent' | 'gradient'): Promise<string[]> {
  const filter = ({ id, aspect }: Case) => aspect === 'derivatives' && new RegExp(`: ${mode}(,|$)`).test(id);
  const { results } = await runConformance(referenceBackend(), { filter });
  return results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id);
}

test('nothing fails while nothing is broken', async () => {
  expect([...(await failing('tangent')), ...(await failing('gradient'))]).toEqual([]);
});

describe('a broken rule of core is found on any backend, and named', () => {
  test('the sign of the tangent of cos', async () => {
    const flipped = (original: (context: never) => unknown) => (context: never) =>
      neg(original(context) as Tensor);
    expect(await withRule('cos', 'jvp', flipped, () => failing('tangent'))).toEqual(['cos: tangent']);
  });

  test('a factor in the tangent of log', async () => {
    const scaled = (original: (context: never) => unknown) => (context: never) =>
      mul(1.0001, original(context) as Tensor);
    expect(await withRule('log', 'jvp', scaled, () => failing('tangent'))).toEqual(['log: tangent']);
  });

  test('the permutation in the transpose of transpose', async () => {
    // The rule without its inversion: the same shape only for a cube.
    const notInverted =
      (original: (context: never) => readonly unknown[]) =>
      (context: { cotangent: Tensor; inputs: Tensor[]; attributes: { permutation: number[] } }) => {
        const { cotangent, inputs, attributes } = context;
        const wrong = transpose(cotangent, attributes.permutation);
        return wrong.shape.join() === inputs[0].shape.join() ? [wrong] : original(context as never);
      };
    expect(await withRule('transpose', 'transpose', notInverted, () => failing('gradient'))).toEqual([
      'transpose: gradient, a cube',
    ]);
  });

  test('the sign of the transpose of slice', async () => {
    const flipped = (original: (context: never) => readonly unknown[]) => (context: never) =>
      (original(context) as readonly Tensor[]).map((x) => neg(x));
    expect(await withRule('slice', 'transpose', flipped, () => failing('gradient'))).toEqual([
      'slice: gradient',
    ]);
  });
});
