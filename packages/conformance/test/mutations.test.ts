/**
 * A derivative rule of core broken on purpose: the kit, on any backend, names the op, and beside it what is made of the
 * broken rule. docs/conformance/mutations.md shows these and others.
 */
import { mul, neg, referenceBackend, transpose, type Tensor } from '@meanflow/core';
import { runConformance, type Case } from '../src/index.js';
import { withRule, type Rule } from './support/broken-rules.js';

/** Ids of the failing cases, of all that compare a graph. */
async function failing(): Promise<string[]> {
  const filter = ({ kind, features }: Case) => kind === 'graph' && !features.includes('large');
  const { results } = await runConformance(referenceBackend(), { filter });
  expect(results.length).toBeGreaterThan(1_500);
  return results.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id);
}

type Jvp = Rule['jvp'];
type Transpose = NonNullable<Rule['transpose']>;

test('nothing fails while nothing is broken', async () => {
  expect(await failing()).toEqual([]);
});

describe('a broken rule is found, and named', () => {
  test('the sign of the tangent of cos', async () => {
    const flipped =
      (original: Jvp): Jvp =>
      (context) =>
        neg(original(context) as Tensor);
    expect(await withRule('cos', 'jvp', flipped, failing)).toEqual([
      // The tangent of a sine is a cosine.
      'sin: gradient of the tangent',
      'cos: tangent',
      'cos: gradient',
      // Their functions hold a sine.
      'less: gradient of the tangent, as a condition',
      'concat: gradient of the tangent',
      'optimizationBarrier: gradient of the tangent, checkpoint',
    ]);
  });

  test('a factor of 1.0001 in the tangent of log', async () => {
    const scaled =
      (original: Jvp): Jvp =>
      (context) =>
        mul(1.0001, original(context) as Tensor);
    expect(await withRule('log', 'jvp', scaled, failing)).toEqual([
      'log: tangent',
      'log: gradient',
      // The tangent of a power in its exponent is a logarithm.
      'pow: gradient of the tangent',
    ]);
  });

  test('the sign of the transpose of slice', async () => {
    const flipped = (original: Transpose): Transpose => (context) =>
      (original(context) as readonly Tensor[]).map((x) => neg(x)); // prettier-ignore
    expect(await withRule('slice', 'transpose', flipped, failing)).toEqual([
      'slice: gradient',
      'slice: gradient of the tangent',
    ]);
  });

  test('the permutation in the transpose of transpose', async () => {
    // The rule without its inversion, where that has the right shape: for a cube.
    const notInverted =
      (original: Transpose) =>
      (context: { cotangent: Tensor; inputs: Tensor[]; attributes: { permutation: number[] } }) => {
        const { cotangent, inputs, attributes } = context;
        const wrong = transpose(cotangent, attributes.permutation);
        return wrong.shape.join() === inputs[0].shape.join() ? [wrong] : original(context as never);
      };
    expect(await withRule('transpose', 'transpose', notInverted, failing)).toEqual([
      'transpose: gradient, a cube',
      'transpose: gradient of the tangent, a cube',
    ]);
  });
});
