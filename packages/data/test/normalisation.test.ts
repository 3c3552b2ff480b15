import { HostArray } from '@meanflow/core';
import { denormalise, normalisationFromJson, normalise } from '../src/index.js';
import { fitStandard, rangeNormalisation } from '../src/normalisation.js';

const columns = ['a', 'b'];
const values = Float64Array.of(1, 10, 3, 30, 5, 80);

describe('normalisation', () => {
  it('standardises by the population deviation of the given rows', () => {
    const fitted = fitStandard({ values, rows: [0, 1], columns, file: 'points.csv' });
    expect(fitted).toEqual({ kind: 'standard', mean: [2, 20], scale: [1, 10] });
    const normalised = normalise(fitted, new HostArray('float64', [3, 2], values));
    expect([...normalised.data]).toEqual([-1, -1, 1, 1, 3, 6]);
  });

  it('is undone by denormalise, through JSON, for any feature shape', () => {
    const fitted = fitStandard({ values, rows: [0, 1, 2], columns, file: 'points.csv' });
    const restored = normalisationFromJson(JSON.parse(JSON.stringify(fitted)), 'checkpoint.json');
    expect(restored).toEqual(fitted);
    const image = new HostArray('float64', [3, 1, 2], values);
    const back = denormalise(restored, normalise(fitted, image));
    expect(back.shape).toEqual([3, 1, 2]);
    back.data.forEach((value, i) => expect(value).toBeCloseTo(values[i], 4));
  });

  it('maps a known range onto [−1, 1]', () => {
    const range = rangeNormalisation(1, 0, 16);
    expect([...normalise(range, new HostArray('float64', [3, 1], Float64Array.of(0, 8, 16))).data]).toEqual([
      -1, 0, 1,
    ]);
    expect(() => rangeNormalisation(1, 2, 2)).toThrow('got [2, 2]');
  });

  it('names a constant column', () => {
    const constant = Float64Array.of(1, 7, 2, 7);
    expect(() => fitStandard({ values: constant, rows: [0, 1], columns, file: 'points.csv' })).toThrow(
      'points.csv: column 2 ("b") is 7 in all 2 training rows, expected values that vary: take the column out',
    );
    const tiny = Float64Array.of(1, 0, 2, 1e-200);
    expect(() => fitStandard({ values: tiny, rows: [0, 1], columns, file: 'points.csv' })).toThrow(
      'has standard deviation 0 in float64',
    );
  });

  it('refuses features of another width', () => {
    const range = rangeNormalisation(3, 0, 1);
    expect(() => denormalise(range, new HostArray('float64', [3, 2], values))).toThrow(
      'A normalisation of 3 columns takes [rows, 3], got [3, 2].',
    );
  });

  it.each([
    [undefined, '"kind" is undefined'],
    [{ kind: 'minmax', mean: [], scale: [] }, '"kind" is "minmax", expected none, standard, range'],
    [{ kind: 'standard', mean: [0], scale: [] }, 'lists of as many finite numbers'],
    [{ kind: 'standard', mean: [0], scale: [0] }, 'each scale positive'],
    [{ kind: 'standard', mean: [null], scale: [1] }, 'finite numbers'],
  ])('refuses %j from a damaged checkpoint', (json, message) => {
    expect(() => normalisationFromJson(json, 'checkpoint.json')).toThrow(message);
  });
});
