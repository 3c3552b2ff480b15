/**
 * A derivative rule of core broken on purpose: the kit, on any backend, names the op, and beside it what is made of the
 * broken rule. docs/conformance/mutations.md shows these and others.
 */
import {
  argMax,
  cast,
  equal,
  mul,
  neg,
  oneHot,
  referenceBackend,
  sum,
  transpose,
  where,
  type Tensor,
} from '@meanflow/core';
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

  test('ties that do not share: all of the derivative to the first maximum', async () => {
    const toFirst =
      (original: Jvp) =>
      (context: { inputs: Tensor[]; tangents: Tensor[]; attributes: { axes: number[] } }) => {
        const { inputs, tangents, attributes } = context;
        const [x, axis] = [inputs[0], attributes.axes[0]];
        if (x.shape.length !== 2 || attributes.axes.length !== 1 || axis !== 1)
          return original(context as never);
        const isFirst = cast(oneHot(argMax(x, 1), x.shape[1]), x.dtype);
        return sum(mul(tangents[0], isFirst), 1);
      };
    const found = await withRule('reduceMax', 'jvp', toFirst, failing);
    expect(found).toEqual([
      'reduceMax: gradient of max at ties',
      'reduceMax: tangent of max at ties',
      'reduceMax: gradient of min at ties',
      'reduceMax: tangent of min at ties',
    ]);
  });

  test('the whole derivative of equal operands to the first', async () => {
    const toFirst = (context: { inputs: Tensor[]; tangents: (Tensor | undefined)[]; output: Tensor }) => {
      const { inputs, tangents, output } = context;
      const isFirst = equal(inputs[0], output);
      const [dx, dy] = tangents.map((dt) => dt ?? 0);
      return where(isFirst, dx, dy);
    };
    for (const op of ['maximum', 'minimum']) {
      const found = await withRule(op, 'jvp', () => toFirst, failing);
      expect(found).toEqual(expect.arrayContaining([`${op}: gradient at ties`, `${op}: tangent at ties`]));
    }
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
