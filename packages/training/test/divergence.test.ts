/** Runs that diverge: the step is found exactly, is not applied, and is told with what it was made on. */
import { hostArray, stopGradient, type HostArray } from '@meanflow/core';
import {
  DivergenceError,
  train,
  type DivergenceReport,
  type TrainOptions,
  type TrainState,
} from '../src/index.js';
import { ErrorWatch } from '../src/error-watch.js';
import { numberTrainer, squaredDistance, type NumberInputs } from './support/number-problem.js';

type Numbers = { readonly w: HostArray<'float32'> };
type NumberOptions = NonNullable<Parameters<typeof numberTrainer>[3]>;

/** Trains, and returns what came of it: the error, the states that were offered, and what was told. */
async function diverge(
  values: (step: number) => number[],
  options: Partial<TrainOptions<Numbers>> = {},
  {
    learningRate = 0.25 as Parameters<typeof numberTrainer>[1],
    ...ofTrainer
  }: NumberOptions & { learningRate?: Parameters<typeof numberTrainer>[1] } = {},
) {
  const saved: TrainState<Numbers>[] = [];
  const told: [DivergenceReport, string][] = [];
  const backTo: number[] = [];
  await using trainer = await numberTrainer(values, learningRate, [0.5], ofTrainer);
  const error: unknown = await train(trainer, {
    steps: 40,
    logEvery: 10,
    onCheckpoint: (state) => void saved.push(state),
    onDiverged: (report, action) => void told.push([report, action]),
    onBack: (step) => void backTo.push(step),
    ...options,
  }).catch((reason: unknown) => reason);
  return { error, saved, told, backTo, end: await trainer.snapshot() };
}

/** The parameter after so many steps towards 2: 2 + 2 / 2ⁿ. */
const after = (steps: number): number => 2 + 2 * 0.5 ** steps;
const w = ({ params }: TrainState<Numbers>): number => params.w.item();
const plain = () => [2, 2];
/** An objective whose error is looked at. */
const watched: typeof squaredDistance = {
  ...squaredDistance,
  loss: (given) => {
    const { loss, metrics } = squaredDistance.loss(given);
    return { loss, metrics: { ...metrics, squaredError: loss } };
  },
};
const spoilt =
  (at: number, value = NaN) =>
  (step: number) =>
    step === at - 1 ? [value, 2] : [2, 2];

describe('a step that is not finite', () => {
  it('is found exactly, and the state before it is what is kept', async () => {
    for (const bad of [2, 7, 8, 9, 16, 23]) {
      const { error, saved, told, end } = await diverge(spoilt(bad), { checkpointEvery: 5 });
      expect(error).toBeInstanceOf(DivergenceError);
      expect(error).toMatchObject({ step: bad });
      expect(saved.at(-1)!.step).toBe(bad - 1);
      expect(w(saved.at(-1)!)).toBeCloseTo(after(bad - 1), 6);
      expect([end.step, w(end)]).toEqual([bad - 1, w(saved.at(-1)!)]);
      expect(told).toHaveLength(1);
      expect(told[0][0]).toMatchObject({
        step: bad,
        kind: 'loss',
        seed: 0,
        learningRate: 0.25,
        loss: 'NaN',
        worst: { path: 'params/w', count: 1, size: 1 },
        batch: [{ path: 'x', shape: [2], nonFinite: 1, largest: 2, isOdd: true }],
        cause: 'data',
        recurred: true,
      });
      expect(told[0][1]).toBe('stopped');
    }
  });

  it('is found where its loss was finite, long before it shows', async () => {
    // At step 12 the parameter becomes infinite, at step 13 the loss.
    const learningRate = (step: number) => (step === 11 ? Infinity : 0.25);
    const { error, saved } = await diverge(
      (step) => [step % 3, 2],
      { steps: 40, logEvery: 40 },
      { learningRate },
    );
    expect(error).toMatchObject({
      step: 12,
      report: { kind: 'state', worst: { path: 'params/w' }, cause: 'optimization' },
    });
    expect((error as Error).message).toMatch(
      /After step 12, "params\/w" holds values that are not finite \(1 of the 1 values of "params\/w"\): the run diverged/,
    );
    expect((error as Error).message).toContain('Lower the learning rate');
    expect(saved.map(({ step }) => step)).toEqual([11]);
  });

  it('is found from a state that somebody else kept', async () => {
    const asked: number[] = [];
    const { error } = await diverge(spoilt(30), {
      restorePoint: async (atMost) => {
        asked.push(atMost);
        return undefined;
      },
    });
    expect(error).toMatchObject({ step: 30 });
    expect(asked).toEqual([29]);
  });

  it.each([
    ['NaN', NaN, 'and 1 of its values are not finite'],
    ['1e30', 1e30, '"x" reaches 1.00e+30'],
    ['1e5 among small ones', 1e5, '"x" reaches 1.00e+5'],
  ])('in data of %s points at the data', async (_, value, text) => {
    // The loss of 1e5 is finite, but for a rate that makes of it what is not.
    const learningRate = (step: number) => (step === 19 ? 3e38 : 0.25);
    const { error } = await diverge(spoilt(20, value), {}, { learningRate });
    expect(error).toMatchObject({ step: 20, report: { cause: 'data' } });
    expect((error as Error).message).toContain('Look at the data');
    expect((error as Error).message).toContain(text);
  });

  it('at the beginning, in data that are all alike, is not the learning rate', async () => {
    const all = await diverge(() => [1e30, 1e30]);
    expect(all.error).toMatchObject({ step: 1, report: { cause: 'data' } });
    expect((all.error as Error).message).not.toContain('Lower the learning rate');
    expect(all.saved).toEqual([]);
  });
});

it('a network that makes nothing finite of good data is not the learning rate either', async () => {
  const network = { init: () => ({ w: hostArray(3e30) }) };
  const { error } = await diverge(plain, {}, { network });
  expect(error).toMatchObject({ step: 1, report: { cause: 'beginning' } });
  expect((error as Error).message).toMatch(
    /not at the learning rate[^]*"x" reaches 2.00[^]*look at the network/,
  );
});

describe('skip', () => {
  it('leaves out the steps that are not finite, and nothing else', async () => {
    const bad = [3, 12, 13, 25];
    const values = (step: number) => (bad.includes(step + 1) ? [NaN, 1] : [2, 2]);
    const { error, told, end } = await diverge(values, { onDivergence: 'skip' }, { guarded: true });
    expect(error).toMatchObject({ completed: true, step: 40 });
    expect(told.map(([{ step, cause }, action]) => [step, cause, action])).toEqual(
      bad.map((step) => [step, 'data', 'skipped']),
    );
    const straight = await diverge(plain, { steps: 36 });
    expect(w(end)).toBe(w(straight.end));
    expect(end.ema).toEqual(straight.end.ema);
  });

  it('gives up where every step is like that', async () => {
    const { error, told } = await diverge(() => [NaN, 2], { onDivergence: 'skip' }, { guarded: true });
    expect(error).toMatchObject({ step: 20 });
    expect((error as Error).message).toContain('20 steps in a row were skipped');
    expect(told.map(([, action]) => action)).toEqual([...new Array<string>(19).fill('skipped'), 'stopped']);
  });

  it('logs what was finite', async () => {
    const records: object[] = [];
    await diverge(
      spoilt(10),
      { onDivergence: 'skip', onMetrics: (record) => void records.push(record) },
      { guarded: true },
    );
    expect(records).toHaveLength(5);
    expect(records[1]).toMatchObject({ step: 10, loss: 4 * 0.25 ** 8, skipped: 1 });
    expect(JSON.stringify(records)).not.toContain('null');
  });

  it('needs a trainer that can', async () => {
    await using trainer = await numberTrainer(plain);
    await expect(train(trainer, { steps: 3, onDivergence: 'skip' })).rejects.toThrow(
      'a trainer that was made with guarded: true',
    );
  });
});

describe('back', () => {
  it('goes on from what was kept, at half the learning rate', async () => {
    // From 1 on steps overshoot ever more, until nothing is finite; below, they converge.
    const options = { steps: 200, checkpointEvery: 10, onDivergence: 'back' as const };
    const { error, told, backTo, end } = await diverge(plain, options, { learningRate: 3 });
    expect(error).toMatchObject({ completed: true, step: 200 });
    expect(told.map(([, action]) => action)).toEqual(['went back', 'went back']);
    expect(backTo.every((step) => step % 10 === 0)).toBe(true);
    expect(end.rateScale).toBe(0.25);
    expect(w(end)).toBeCloseTo(2, 5);
  });

  it('keeps anew what was kept of steps that diverged', async () => {
    const options = { steps: 200, logEvery: 5, checkpointEvery: 70, onDivergence: 'back' as const };
    // An error that is 1.21 times as large with each step, and finite at all of them.
    const { saved, told, backTo } = await diverge(plain, options, { learningRate: 1.05, objective: watched });
    expect(told).toMatchObject([[{ kind: 'growth', step: 75, growth: { since: 26 } }, 'went back']]);
    expect(backTo).toEqual([0]);
    expect(saved.map(({ step, rateScale }) => [step, rateScale])).toEqual([
      [70, undefined],
      [70, 0.5],
      [140, 0.5],
      [200, 0.5],
    ]);
  });

  it('does not try again what the data do', async () => {
    const { error } = await diverge(spoilt(17), { onDivergence: 'back' });
    expect(error).toMatchObject({ step: 17, report: { cause: 'data' } });
  });

  it('is given up after ten times', async () => {
    const { told } = await diverge(plain, { steps: 400, onDivergence: 'back' }, { learningRate: 1e6 });
    expect(told.map(([, action]) => action)).toEqual([...new Array<string>(10).fill('went back'), 'stopped']);
  });
});

describe('an error that grows', () => {
  const feed = (errors: readonly number[]) => {
    const watch = new ErrorWatch();
    return errors.map((error, i) => watch.add(i + 1, error)).findIndex((growth) => growth !== undefined) + 1;
  };
  /** Errors near a level, as batches have them. */
  const around = (level: number, count: number) =>
    Array.from({ length: count }, (_, i) => level * (1 + 0.5 * Math.sin(7 * i)));

  it('is noticed within two blocks, and not where it is only noisy', () => {
    expect(feed([...around(1, 100), ...around(50, 100)])).toBe(150);
    expect(feed([...around(2, 100), ...around(0.1, 500), ...around(0.5, 500), ...around(5, 500)])).toBe(0);
    expect(feed(around(1, 1000).map((error, i) => (i % 10 === 0 ? 1e6 * error : error)))).toBe(0);
    expect(feed(new Array<number>(500).fill(0))).toBe(0);
    // A network that begins with the answer has no error to be compared with.
    expect(feed([...new Array<number>(50).fill(0), ...around(1e-3, 500)])).toBe(0);
    expect(feed([...new Array<number>(50).fill(0), ...around(1e-3, 100), ...around(1, 100)])).toBe(200);
  });

  it('stops a run whose weighted loss says nothing', async () => {
    const weighted = {
      ...squaredDistance,
      loss: (given: NumberInputs) => {
        const { loss } = squaredDistance.loss(given);
        return { loss: loss.div(stopGradient(loss.add(1e-3))), metrics: { squaredError: loss } };
      },
    };
    // What there is to learn from keeps moving away from step 301 on.
    const values = (step: number) => (step < 300 ? [1, 3] : [step, step]);
    const { error } = await diverge(values, { steps: 1000, checkpointEvery: 100 }, { objective: weighted });
    expect(error).toMatchObject({ report: { kind: 'growth', cause: 'optimization' } });
    const { step, report } = error as DivergenceError;
    expect(report.growth!.since).toBe(301);
    expect(step).toBe(350);
    expect((error as Error).message).toMatch(
      /The squared error at step 350 is [^]* it has grown since step 301: the run diverged/,
    );
  });

  it('that is NaN does not count: such steps are skipped', () => {
    expect(feed(around(1, 500).map((error, i) => (i % 5 === 0 ? NaN : error)))).toBe(0);
  });
});
