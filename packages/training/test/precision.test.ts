/** Training with products in float16: master weights, the scale of the loss, steps that are left out, resuming. */
import {
  constant,
  hostArray,
  referenceBackend,
  spec,
  trace,
  treeLeaves,
  type HostArray,
} from '@meanflow/core';
import { interpret, prepare } from '@meanflow/core/backend';
import { GOOD_STEPS, withLossScale } from '../src/loss-scaling.js';
import { sgd, type Trainer } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { tinyTrainer } from './support/tiny-problem.js';

const parametersOf = async (trainer: Trainer): Promise<readonly HostArray[]> =>
  treeLeaves<HostArray>((await trainer.snapshot()).params);

const steps = async (trainer: Trainer, count: number): Promise<number[]> => {
  const losses: number[] = [];
  for (let i = 0; i < count; i++) losses.push((await (await trainer.advance()).loss.read()).item());
  return losses;
};

test('a few steps are those of float32 to the digits of float16, with float32 state and half products', async () => {
  await using exact = await tinyTrainer(float32Backend());
  await using half = await tinyTrainer(float32Backend(), { precision: 'float16' });
  const [expected, got] = [await steps(exact, 4), await steps(half, 4)];
  got.forEach((loss, i) =>
    expect(Math.abs(loss - expected[i]!)).toBeLessThan(0.02 * (1 + Math.abs(expected[i]!))),
  );
  expect(got).not.toEqual(expected);
  const [a, b] = [await parametersOf(exact), await parametersOf(half)];
  b.forEach(({ dtype, data }, i) => {
    expect(dtype).toBe('float32');
    data.forEach((value, k) => expect(Math.abs(value - a[i]!.data[k]!)).toBeLessThan(0.02));
  });
  const { instructions, types } = prepare(half.graph);
  const products = instructions.filter(({ op }) => op === 'dotGeneral');
  expect(products.length).toBeGreaterThan(5);
  expect(new Set(products.map(({ outputs }) => types[outputs[0]]!.dtype))).toEqual(new Set(['float16']));
});

test('a run goes on from its state bit for bit, the scale of the loss included', async () => {
  const open = () => tinyTrainer(float32Backend(), { precision: 'float16' });
  await using whole = await open();
  await steps(whole, 2);
  const state = await whole.snapshot();
  expect(state.optimizer).toMatchObject({ scale: hostArray(2 ** 16), good: hostArray(2) });
  await using resumed = await open();
  resumed.restore(state);
  expect(await steps(resumed, 2)).toEqual(await steps(whole, 2));
  expect(await parametersOf(resumed)).toEqual(await parametersOf(whole));
});

test('the halves of a step, and parts of a batch, are for float32', async () => {
  await using trainer = await tinyTrainer(referenceBackend(), { precision: 'float16' });
  await expect(trainer.gradients()).rejects.toThrow(
    'the halves of a step are for precision float32; call advance()',
  );
});

describe('the scale', () => {
  const optimizer = withLossScale(sgd({ learningRate: 1 }));
  const state = { scale: spec([]), good: spec([]), optimizer: undefined };
  const { graph } = trace(
    ({ gradient, state }) =>
      optimizer.update({ w: gradient }, state, {
        params: { w: gradient },
        scalars: { stepSize: constant(-1) },
      }),
    { gradient: spec([2]), state },
  );
  const update = (gradient: readonly number[], scale: number, good: number) => {
    const results = interpret(graph, {
      gradient: hostArray(gradient),
      'state/scale': hostArray(scale),
      'state/good': hostArray(good),
    });
    return [[...results['updates/w']!.data], results['state/scale']!.item(), results['state/good']!.item()];
  };

  test.each([
    ['a good step divides by it and is counted', [8, 16], 8, 3, [[-1, -2], 8, 4]],
    ['it doubles after so many good steps', [8, 16], 8, GOOD_STEPS - 1, [[-1, -2], 16, 0]],
    ['it does not grow beyond its largest', [0, 0], 2 ** 24, GOOD_STEPS - 1, [[-0, -0], 2 ** 24, 0]],
    ['it does not shrink below one', [NaN, 1], 1, 5, [[0, 0], 1, 0]],
  ] as const)('%s', (_, gradient, scale, good, expected) => {
    expect(update(gradient, scale, good)).toEqual(expected);
  });

  test('a step whose gradient is not finite is left out, and it halves', () => {
    expect(update([Infinity, 1], 8, 7)).toEqual([[0, 0], 4, 0]);
  });
});
