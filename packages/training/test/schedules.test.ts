import { readFileSync } from 'node:fs';
import { ArgumentError } from '@meanflow/core';
import {
  constantSchedule,
  cosineSchedule,
  joinSchedules,
  linearSchedule,
  warmUpSchedule,
  type Schedule,
} from '../src/index.js';

const published = JSON.parse(
  readFileSync(new URL('./data/cifar-schedules.json', import.meta.url), 'utf8'),
) as { lr: { base: number; warmup_iters: number; lr_used_at_step: number[] } };

const values = (schedule: Schedule, count: number): number[] =>
  Array.from({ length: count }, (_, i) => schedule(i));

describe('schedules', () => {
  it("MeanFlow's CIFAR-10 warm-up: LinearLR from 1e-8, then constant", () => {
    const { base, warmup_iters: warmUp, lr_used_at_step: expected } = published.lr;
    const schedule = warmUpSchedule(base, warmUp, 1e-8);
    values(schedule, expected.length).forEach((rate, step) => {
      expect(Math.abs(rate / expected[step] - 1)).toBeLessThan(1e-12);
    });
  });

  it("improved MeanFlow's warm-up: the rate at step 0 is 0", () => {
    expect(values(warmUpSchedule(1e-3, 4), 7)).toEqual([0, 2.5e-4, 5e-4, 7.5e-4, 1e-3, 1e-3, 1e-3]);
    expect(values(warmUpSchedule(1e-3, 0), 2)).toEqual([1e-3, 1e-3]);
  });

  it('linear and cosine decay reach their end exactly and stay there', () => {
    expect(values(linearSchedule(1, 0.5, 2), 5)).toEqual([1, 0.75, 0.5, 0.5, 0.5]);
    const cosine = values(cosineSchedule(2, 1, 4), 6);
    const expected = [2, 1.5 + Math.SQRT1_2 / 2, 1.5, 1.5 - Math.SQRT1_2 / 2, 1, 1];
    cosine.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 12));
    expect(cosine[5]).toBe(1);
  });

  it('joined schedules count from their boundary', () => {
    const joined = joinSchedules([linearSchedule(0, 1, 2), 5, linearSchedule(10, 0, 10)], [2, 4]);
    expect(values(joined, 7)).toEqual([0, 0.5, 5, 5, 10, 9, 8]);
    const warmed = warmUpSchedule(cosineSchedule(1, 0, 10), 5);
    expect(warmed(5)).toBe(1);
    expect(warmed(10)).toBeCloseTo(0.5, 12);
    expect(warmed(15)).toBe(0);
  });

  it.each([
    ['steps of 0', () => linearSchedule(0, 1, 0), 'steps is a whole number from 1, got 0'],
    ['half a step', () => cosineSchedule(0, 1, 1.5), 'got 1.5'],
    ['a value that is none', () => constantSchedule(NaN), 'value is a finite number, got NaN'],
    ['an end that is none', () => linearSchedule(0, Infinity, 3), 'to is a finite number, got Infinity'],
    ['too few boundaries', () => joinSchedules([1, 2, 3], [5]), '3 schedules need one boundary fewer, got 1'],
    [
      'boundaries out of order',
      () => joinSchedules([1, 2, 3], [5, 5]),
      'increasing whole numbers above 0, got [5, 5]',
    ],
    ['a negative warm-up', () => warmUpSchedule(1, -3), 'steps is a whole number from 1, got -3'],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });
});
