import { readFileSync } from 'node:fs';
import { ArgumentError, hostArray, HostArray, RandomKey } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import {
  intervalSampler,
  intervalPresets,
  sampleGuidance,
  sampleIntervals,
  type IntervalSampler,
} from '../../src/index.js';
import { drawRawIntervals, guidanceFromRaw, intervalsFromRaw } from '../../src/draws.js';
import { floats, maxDifference } from '../helpers.js';

const published = JSON.parse(
  readFileSync(new URL('../data/published-samplers.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, number[]>>;

/** Float32 results of maps computed in float64: half a unit in the last place near 1. */
const TOLERANCE = 6e-8;

describe('published (t, r) samplers', () => {
  const cases: [string, IntervalSampler, string][] = [
    ['mf-sampler', intervalPresets.meanflow, ''],
    ['imf-sampler', intervalPresets['improved-meanflow'], ''],
    // Recorded at the parameters of improved MeanFlow.
    ['pmf-sampler', { ...intervalPresets['improved-meanflow'], equalTime: 'drawn' }, ''],
    ['unet-sampler', intervalPresets['cifar10-v0'], '_v0'],
    ['unet-sampler', intervalPresets['cifar10-v1'], '_v1'],
  ];
  test.each(cases)('%s with %j', (name, sampler, suffix) => {
    const data = published[name];
    const raw = { t: floats(data['in/normal_t']), r: floats(data['in/normal_r']) };
    const coin = data['in/uniform'];
    const { t, r, equal } = intervalsFromRaw(sampler, coin ? { ...raw, coin: floats(coin) } : raw);
    expect(maxDifference(t.data, data[`out64/t${suffix}`])).toBeLessThan(TOLERANCE);
    expect(maxDifference(r.data, data[`out64/r${suffix}`])).toBeLessThan(TOLERANCE);
    if (data['out/fm_mask']) expect([...equal.data]).toEqual(data['out/fm_mask']);
    expect([...equal.data]).toEqual(Array.from(t.data, (value, i) => Number(value === r.data[i])));
  });
});

describe('published guidance conditions', () => {
  test.each(['imf-sampler', 'pmf-sampler'])('%s', (name) => {
    const data = published[name];
    // The recorded draws are already scaled to [0, ½) and [½, 1).
    const raw = {
      omega: floats(data['in/uniform_omega']),
      tMin: floats(data['in/uniform_t_min_0_05'].map((x) => 2 * x)),
      tMax: floats(data['in/uniform_t_max_05_1'].map((x) => 2 * x - 1)),
    };
    const equal = new HostArray('bool', [16], Uint8Array.from(data['out/fm_mask']));
    for (const power of [1, 2, 0.5]) {
      const { omega, tMin, tMax } = guidanceFromRaw({ maxScale: 8, power }, raw, equal);
      expect(maxDifference(omega.data, data[`out64/omega_beta_${power.toFixed(1)}`])).toBeLessThan(5e-7);
      expect(maxDifference(tMin.data, data['out64/t_min'])).toBe(0);
      expect(maxDifference(tMax.data, data['out64/t_max'])).toBe(0);
    }
  });

  test('the scale is continuous in the power at 1', () => {
    const raw = { omega: floats([0, 0.3, 0.9]), tMin: floats([0, 0, 0]), tMax: floats([0, 0, 0]) };
    const none = new HostArray('bool', [3], new Uint8Array(3));
    const at = (power: number) => guidanceFromRaw({ power }, raw, none).omega.data;
    expect(maxDifference(at(1), at(1 + 1e-9))).toBeLessThan(1e-6);
  });
});

describe('sampleIntervals', () => {
  const key = RandomKey.fromSeed(7);

  test('is a function of the key', () => {
    const once = sampleIntervals(key, intervalPresets['cifar10-v1'], 50);
    const again = sampleIntervals(key, intervalPresets['cifar10-v1'], 50);
    const other = sampleIntervals(key.fold('other'), intervalPresets['cifar10-v1'], 50);
    expect(again).toEqual(once);
    expect(maxDifference(other.t.data, once.t.data)).toBeGreaterThan(0.01);
  });

  test('r = t on exactly the first rows, and (0, 1) on exactly the last', () => {
    const sampler: IntervalSampler = { t: { kind: 'uniform' }, equalShare: 0.5, fullShare: 0.25 };
    const { t, r, equal } = sampleIntervals(key, sampler, 20);
    expect([...equal.data]).toEqual(Array.from({ length: 20 }, (_, i) => Number(i < 10)));
    for (let i = 0; i < 20; i++) {
      if (i < 10) expect(r.data[i]).toBe(t.data[i]);
      else if (i < 15) expect(r.data[i]).toBeLessThan(t.data[i]);
      else expect([r.data[i], t.data[i]]).toEqual([0, 1]);
    }
  });

  const shares = { t: { kind: 'uniform' }, equalShare: 0.7, fullShare: 0.25 } as const;
  const kindsOf = (sampler: IntervalSampler, count: number, draw: number): [equal: number, full: number] => {
    const { t, r, equal } = sampleIntervals(key.fold(draw), sampler, count);
    const isFull = Array.from(t.data, (time, i) => time === 1 && r.data[i] === 0);
    // The first rows are equal, the last are full, and none is both.
    const kinds = Array.from(equal.data, (isEqual, i) => (isEqual ? 0 : isFull[i] ? 2 : 1));
    expect(kinds).toEqual([...kinds].sort());
    return [kinds.filter((kind) => kind === 0).length, kinds.filter((kind) => kind === 2).length];
  };

  test.each([1, 2, 3, 5, 7, 13])('shares hold on average for a batch of %d', (count) => {
    const draws = 4000;
    const totals = [0, 0];
    for (let draw = 0; draw < draws; draw++) {
      kindsOf(shares, count, draw).forEach((rows, i) => {
        totals[i] += rows;
        const exact = count * [shares.equalShare, shares.fullShare][i];
        expect(Math.abs(rows - exact)).toBeLessThan(1);
      });
    }
    // Five standard deviations of a coin.
    const slack = 5 * Math.sqrt(0.25 / draws);
    expect(Math.abs(totals[0] / draws - shares.equalShare * count)).toBeLessThan(slack);
    expect(Math.abs(totals[1] / draws - shares.fullShare * count)).toBeLessThan(slack);
  });

  test('where a share is a whole number of rows, nothing is tossed', () => {
    for (const [share, count] of [[0.75, 64], [0.5, 16], [0.29, 100], [0.07, 100], [0.1, 30], [0, 7], [1, 7]] as const) {
      const sampler: IntervalSampler = { t: { kind: 'uniform' }, equalShare: share };
      const raw = drawRawIntervals(key, sampler, count);
      expect(raw.rounding).toBeUndefined();
      const { equal } = intervalsFromRaw(sampler, raw);
      expect(equal.data.reduce((total, row) => total + row, 0)).toBe(Math.round(share * count));
    }
  }); // prettier-ignore

  test('as published, a part of a row is none where nothing is tossed', () => {
    const sampler: IntervalSampler = { t: { kind: 'uniform' }, equalShare: 0.75 };
    const raw = { t: floats([0.5, 0.6, 0.7]), r: floats([0.1, 0.2, 0.3]) };
    expect([...intervalsFromRaw(sampler, raw).equal.data]).toEqual([1, 1, 0]);
    const tossed = (u: number) => [...intervalsFromRaw(sampler, { ...raw, rounding: hostArray(u) }).equal.data];
    expect([tossed(0.2), tossed(0.3)]).toEqual([[1, 1, 1], [1, 1, 0]]);
  }); // prettier-ignore

  test('the toss leaves every other draw as it was', () => {
    const sampler: IntervalSampler = { t: { kind: 'uniform' }, equalShare: 0.5 };
    const { t, r } = drawRawIntervals(key, sampler, 3);
    expect(drawRawIntervals(key, { ...sampler, equalShare: 0 }, 3)).toEqual({ t, r });
  });

  test('a coin leaves r = t on its share of the rows', () => {
    const sampler: IntervalSampler = { t: { kind: 'uniform' }, equalShare: 0.3, equalRows: 'coin' };
    const { equal } = sampleIntervals(key, sampler, 20_000);
    const share = equal.data.reduce((total, value) => total + value, 0) / 20_000;
    // Four standard deviations.
    expect(Math.abs(share - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 20_000));
  });

  test('sorted uniforms have the moments of order statistics, clamped ones keep the law of t', () => {
    const count = 40_000;
    const average = (values: Float32Array) => values.reduce((total, value) => total + value, 0) / count;
    const sorted = sampleIntervals(key, { t: { kind: 'uniform', min: 0.2 }, equalShare: 0 }, count);
    expect(average(sorted.t.data)).toBeCloseTo(0.2 + 0.8 * (2 / 3), 2);
    expect(average(sorted.r.data)).toBeCloseTo(0.2 + 0.8 / 3, 2);
    const clamped = sampleIntervals(key, { t: { kind: 'uniform' }, equalShare: 0, order: 'clamp' }, count);
    expect(average(clamped.t.data)).toBeCloseTo(0.5, 2);
    expect(average(clamped.r.data)).toBeCloseTo(1 / 3, 2);
  });

  test('a share of uniform rows reaches where the distribution does not', () => {
    const narrow: IntervalSampler = { t: { kind: 'logit-normal', mean: 0, std: 0 }, equalShare: 0 };
    const { t, r } = sampleIntervals(key, { ...narrow, uniformShare: 0.2 }, 10_000);
    const uniform = [...t.data].filter((value) => value !== 0.5);
    expect(Math.abs(uniform.length / 10_000 - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / 10_000));
    expect(Math.max(...uniform)).toBeGreaterThan(0.98);
    expect(Math.min(...r.data)).toBeLessThan(0.02);
    const raw = { t: floats([0]), r: floats([0]) };
    expect(() => intervalsFromRaw({ ...narrow, uniformShare: 0.2 }, raw)).toThrow(/raw\.uniform/);
  });

  test('guidance follows the rows of flow matching', () => {
    const { equal } = sampleIntervals(key, intervalPresets['improved-meanflow'], 100);
    const { omega, tMin, tMax } = sampleGuidance(key, {}, equal);
    for (let i = 0; i < 100; i++) {
      expect(omega.data[i]).toBeGreaterThanOrEqual(1);
      expect(omega.data[i]).toBeLessThanOrEqual(8);
      if (equal.data[i]) expect([tMin.data[i], tMax.data[i]]).toEqual([0, 1]);
      else expect(tMin.data[i] < 0.5 && tMax.data[i] >= 0.5).toBe(true);
    }
  });
});

describe('errors say what was given', () => {
  const t = { kind: 'uniform' } as const;
  test('a coin without its draws', () => {
    const sampler: IntervalSampler = { t, equalShare: 0.5, equalRows: 'coin' };
    expect(() => intervalsFromRaw(sampler, { t: floats([0.5]), r: floats([0.5]) })).toThrow(/raw\.coin/);
  });
  test.each<[string, IntervalSampler, RegExp]>([
    ['share', { t, equalShare: 1.5 }, /equalShare: expected at most 1, got 1\.5/],
    [
      'shares together',
      { t, equalShare: 0.6, fullShare: 0.6 },
      /fullShare: expected, together with equalShare, at most 1/,
    ],
    [
      'bounds',
      { t: { kind: 'uniform', min: 0.7, max: 0.2 }, equalShare: 0 },
      /t\.min: expected less than max/,
    ],
    [
      'an option that does not exist',
      { t, equalShares: 0.5, equalShare: 0 } as IntervalSampler,
      /no field "equalShares".*Did you mean "equalShare"/,
    ],
    [
      'an unknown order',
      { t, equalShare: 0, order: 'sorted' as 'sort' },
      /order: expected one of sort, clamp, got "sorted"\. Did you mean "sort"/,
    ],
    [
      'an unknown distribution',
      { t: { kind: 'normal' } as never, equalShare: 0 },
      /t\.kind: expected one of uniform, logit-normal, got "normal"/,
    ],
    [
      'a parameter of another',
      { t: { kind: 'uniform', mean: 0 } as never, equalShare: 0 },
      /t: there is no field "mean"/,
    ],
    [
      'std',
      { t, r: { kind: 'logit-normal', mean: 0, std: -1 }, equalShare: 0 },
      /r\.std: expected at least 0, got -1/,
    ],
  ])('%s', (_, sampler, message) => {
    expect(() => validate(intervalSampler, sampler, 'intervals')).toThrow(ArgumentError);
    expect(() => validate(intervalSampler, sampler, 'intervals')).toThrow(message);
  });
});
