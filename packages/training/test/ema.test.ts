import { readFileSync } from 'node:fs';
import {
  ArgumentError,
  hostArray,
  referenceBackend,
  trace,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import { ema, emaKey, initialShare, type Ema } from '../src/index.js';

const published = JSON.parse(
  readFileSync(new URL('./data/cifar-schedules.json', import.meta.url), 'utf8'),
) as { ema: { decay: number; ema_after_step_k: number[] } };

/** Averages of one scalar parameter after each step, by key; rounded to float32 between steps. */
async function averagesOf(
  kept: Ema,
  initial: number,
  values: readonly number[],
): Promise<Record<string, number>[]> {
  type Input = { averages: Record<string, Tensor>; param: Tensor; scalars: Record<string, Tensor> };
  let averages = kept.init<HostArray>(hostArray(initial)) as Record<string, HostArray>;
  const scalars = (step: number): Record<string, HostArray> =>
    Object.fromEntries(Object.entries(kept.scalars(step)).map(([key, value]) => [key, hostArray(value)]));
  const { graph } = trace(
    ({ averages: old, param, scalars: weights }: Input) => kept.update<Tensor>(old, param, weights),
    { averages, param: hostArray(initial), scalars: scalars(0) },
  );
  const executable = await referenceBackend().compile(graph);
  const prefixed = (prefix: string, tree: Record<string, HostArray>): [string, HostArray][] =>
    Object.entries(tree).map(([key, value]) => [`${prefix}/${key}`, value]);
  const history: Record<string, number>[] = [];
  for (const [step, value] of values.entries()) {
    const inputs = [...prefixed('averages', averages), ...prefixed('scalars', scalars(step))];
    const outputs = await executable.run({ ...Object.fromEntries(inputs), param: hostArray(value) });
    const read = Object.entries(outputs).map(async ([key, array]) => [key, await array.read()] as const);
    averages = Object.fromEntries(await Promise.all(read));
    history.push(Object.fromEntries(Object.entries(averages).map(([key, array]) => [key, array.item()])));
  }
  return history;
}

describe('ema', () => {
  it("MeanFlow's CIFAR-10 recipe: every 16 steps, with the decay to the power of 16", async () => {
    const { decay, ema_after_step_k: expected } = published.ema;
    const values = expected.map((_, i) => i + 1);
    const history = await averagesOf(ema({ decays: [decay], every: 16, rampUp: false }), 0, values);
    history.forEach((averages, i) => {
      expect(Math.abs(averages[emaKey(decay)] - expected[i])).toBeLessThanOrEqual(2 ** -23 * expected[i]);
    });
  });

  it('keeps several decays side by side: e = d·e + (1 − d)·p', async () => {
    const values = [1, -2, 5, 0.5, 3];
    const history = await averagesOf(ema({ decays: [0.5, 0.9, 0], rampUp: false }), 2, values);
    for (const decay of [0.5, 0.9, 0]) {
      let expected = 2;
      values.forEach((value, i) => {
        expected = decay * expected + (1 - decay) * value;
        expect(history[i][emaKey(decay)]).toBeCloseTo(expected, 5);
      });
    }
  });

  it('keeps a constant parameter exactly, which d·e + (1 − d)·p in float32 would let drift', async () => {
    const history = await averagesOf(
      ema({ decays: [0.9999], rampUp: false }),
      0.1,
      new Array<number>(50).fill(0.1),
    );
    expect(history.at(-1)).toEqual({ '0.9999': Math.fround(0.1) });
  });

  it('ramps up by default: min(d, (1 + n) / (10 + n)) at the n-th update', () => {
    const { scalars } = ema({ decays: [0.9] });
    expect(scalars(0)['0.9']).toBeCloseTo(1 - 2 / 11, 12);
    expect(scalars(1)['0.9']).toBeCloseTo(1 - 3 / 12, 12);
    expect(scalars(1000)['0.9']).toBeCloseTo(0.1, 12);
    expect(ema({ decays: [0.9], every: 2 }).scalars(0)['0.9']).toBe(0);
    expect(ema({ decays: [0.9], every: 2 }).scalars(1)['0.9']).toBeCloseTo(1 - (3 / 12) ** 2, 12);
  });

  it('knows how much of it is still the initial network', () => {
    const fixed = ema({ decays: [0.999], rampUp: false });
    expect(initialShare(fixed, '0.999', 0)).toBe(1);
    expect(initialShare(fixed, '0.999', 350)).toBeCloseTo(0.999 ** 350, 12);
    // (2 · 3 · … · 351) / (11 · 12 · … · 360), which is 10! / (352 · … · 360).
    const ramped = initialShare(ema({ decays: [0.999] }), '0.999', 350);
    expect(ramped).toBe(0);
    expect(initialShare(ema({ decays: [0.999] }), '0.999', 3)).toBeCloseTo((2 * 3 * 4) / (11 * 12 * 13), 12);
    expect(initialShare(ema({ decays: [0.9], every: 16, rampUp: false }), '0.9', 15)).toBe(1);
    expect(initialShare(ema({ decays: [0.9], every: 16, rampUp: false }), '0.9', 40)).toBeCloseTo(
      0.9 ** 32,
      12,
    );
    const half = ema({ halfLives: { samples: [500_000], batch: 64 } });
    expect(initialShare(half, '500000', 10)).toBe(0);
  });

  it.each([
    ['a decay of 1', { decays: [1] }, 'a decay lies in [0, 1), got 1'],
    ['a decay twice', { decays: [0.9, 0.9] }, 'the decays [0.9, 0.9] name one twice'],
    ['every 0 steps', { decays: [0.9], every: 0 }, 'every is a whole number from 1, got 0'],
  ])('refuses %s', (_, options, message) => {
    expect(() => ema(options)).toThrow(ArgumentError);
    expect(() => ema(options)).toThrow(message);
  });
});

describe('half-lives', () => {
  const half = { samples: [500_000, 2_000_000], batch: 1024 };

  it('are those of EDM: at most a twentieth of the samples seen', () => {
    const { keys, scalars } = ema({ decays: [0.9], halfLives: half, rampUp: false });
    expect(keys).toEqual(['0.9', '500000', '2000000']);
    const decay = (step: number, key: string) => 1 - scalars(step)[key];
    expect(decay(0, '500000')).toBeCloseTo(0.5 ** 20, 12);
    expect(decay(99, '2000000')).toBeCloseTo(0.5 ** (1 / 5), 12);
    // From 500,000 / (1,024 · 0.05) = 9,766 updates on it is what was asked for.
    expect(decay(20_000, '500000')).toBeCloseTo(0.5 ** (1024 / 500_000), 12);
    expect(decay(20_000, '2000000')).toBeCloseTo(0.5 ** (1 / (20_001 * 0.05)), 12);
    expect(decay(5, '0.9')).toBeCloseTo(0.9, 12);
  });

  it.each([
    [{ ...half, samples: [0] }, /half-life is from 1 sample, got 0/],
    [{ ...half, samples: [5, 5] }, /half-lives \[5, 5\] name one twice/],
    [{ ...half, batch: 0 }, /need a batch from 1 and rampUpShare above 0, got 0 and 0.05/],
    [{ ...half, rampUpShare: 0 }, /got 1024 and 0/],
  ])('%j is refused', (halfLives, message) => {
    expect(() => ema({ halfLives })).toThrow(message);
  });
});
