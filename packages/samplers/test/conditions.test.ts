/** Conditions beside the label, from a request to the network: rows stay together, absence is not zero, guidance drops. */
import { add, ArgumentError, hostArray, mul, sum as sumOf, referenceBackend, ShapeError, type HostArray, type Tensor } from '@meanflow/core'; // prettier-ignore
import { interpret } from '@meanflow/core/backend';
import { averageVelocity, createSampler, dormandPrince, euler, perRow, rowConditions, sampleGraph, type SampleRequest } from '../src/index.js'; // prettier-ignore
import { formula } from './helpers.js';

const specs = {
  base: { kind: 'vector', shape: [2] },
  shift: { kind: 'vector', shape: [1], optional: true },
  mask: { kind: 'mask', shape: [3, 1], optional: true },
} as const;

/** u = Σ base + shift + 10 · (shift is there) + 100 · Σ mask + 1000 · (mask is there) + 10⁴ · label: one step takes it off. */
const network = formula(
  [1],
  {},
  (_, { z, label, ...given }) => {
    const [base, shift, mask] = rowConditions(specs, given, z.shape[0]!);
    const total = (x: Tensor) =>
      perRow(
        sumOf(
          x,
          x.shape.slice(1).map((_, axis) => axis + 1),
        ),
        z,
      );
    const terms = [total(base!.value), total(shift!.value), mul(100, total(mask!.value))];
    const presence = [mul(10, perRow(shift!.presence!, z)), mul(1000, perRow(mask!.presence!, z))];
    const own = label === undefined ? [] : [mul(1e4, perRow(label.cast('float32'), z))];
    return [...terms, ...presence, ...own].reduce((sum, term) => add(sum, term), mul(z, 0));
  },
  { classCount: 3, conditions: specs },
);

const rows = 5;
const noise = hostArray(new Float32Array(rows), { shape: [rows, 1] });
const base = hostArray(Array.from({ length: rows }, (_, row) => [row, 0.5]));
const shift = hostArray(Array.from({ length: rows }, (_, row) => [row / 8]));
const mask = hostArray(Array.from({ length: rows }, (_, row) => [[1], [row % 2], [0]]));
const request = { params: {}, noise, solver: averageVelocity, times: [1, 0] };
const taken = (samples: HostArray): number[] => Array.from(samples.data, (x) => Math.round(-x * 1e4) / 1e4);

async function sample(
  change: Partial<SampleRequest<Record<string, never>>>,
  batchSize = 4096,
): Promise<number[]> {
  await using sampler = createSampler(referenceBackend(), network, { batchSize });
  return taken((await sampler.sample({ ...request, ...change } as never)).samples);
}

const each = (value: (row: number) => number) => Array.from({ length: rows }, (_, row) => value(row));
const all = { base, shift, mask };
const ofAll = (row: number) => row + 0.5 + row / 8 + 10 + 100 * (1 + (row % 2)) + 1000;

test.each([1, 2, 5])('rows of a condition go with the rows of the noise, %d at once', async (batchSize) => {
  expect(await sample({ conditions: all }, batchSize)).toEqual(each(ofAll));
  expect(await sample({ conditions: all, solver: dormandPrince() }, batchSize)).toEqual(each(ofAll));
});

test('what is absent is not zero', async () => {
  expect(await sample({ conditions: { base } })).toEqual(each((row) => row + 0.5));
  const zeros = hostArray(new Float32Array(rows), { shape: [rows, 1] });
  expect(await sample({ conditions: { base, shift: zeros } })).toEqual(each((row) => row + 10.5));
  const present = { shift: hostArray([1, 0, 1, 0, 0]) };
  const some = each((row) => row + 0.5 + (row === 0 || row === 2 ? row / 8 + 10 : 0));
  expect(await sample({ conditions: { base, shift }, present }, 2)).toEqual(some);
});

describe('guidance', () => {
  const label = hostArray([0, 1, 2, 0, 1], { dtype: 'int32' });
  const guided = (drop?: readonly string[], scale = 3) =>
    sample({ conditions: all, label, guidance: { scale, ...(drop && { drop }) } });
  const with_ = (row: number) => ofAll(row) + 1e4 * label.data[row]!;
  const combined = (without: (row: number) => number, scale = 3) =>
    each((row) => without(row) + scale * (with_(row) - without(row)));

  test('drops the label and everything optional, in one evaluation of twice the batch', async () => {
    // float32 leaves about seven digits.
    const expected = combined((row) => row + 0.5 + 3e4);
    (await guided()).forEach((value, row) => expect(value).toBeCloseTo(expected[row]!, 1));
    expect(await guided(undefined, 1)).toEqual(each(with_));
  });

  test.each<[readonly string[], (row: number) => number]>([
    [['shift'], (row) => with_(row) - row / 8 - 10],
    [['mask'], (row) => with_(row) - 1000 - 100 * (1 + (row % 2))],
    [['label'], (row) => with_(row) - 1e4 * label.data[row]! + 3e4],
  ])('or those that are named: %j', async (drop, without) => {
    const expected = combined(without);
    (await guided(drop)).forEach((value, row) => expect(value).toBeCloseTo(expected[row]!, 1));
  });

  test('of rows that have it', async () => {
    const present = { shift: hostArray([1, 0, 1, 0, 0]) };
    const conditions = { base, shift };
    const has = (row: number) => (present.shift.data[row] === 1 ? row / 8 + 10 : 0);
    const expected = each((row) => row + 0.5 + 2 * has(row));
    expect(await sample({ conditions, present, guidance: { scale: 2 } })).toEqual(expected);
  });

  test.each([
    [{ guidance: { scale: 2, drop: ['base'] }, conditions: all }, '"base" is not a label'],
    [{ guidance: { scale: 2, drop: ['shift'] }, conditions: { base } }, '"shift" is not a label'],
    [{ guidance: { scale: 2 }, conditions: { base } }, 'an optional condition that is given (of base, shift, mask)'],
    [{ guidance: { scale: 2, drop: [] }, conditions: all }, 'it needs a label'],
  ])('%j is refused', async (change, message) => {
    await expect(sample(change)).rejects.toThrow(message);
  }); // prettier-ignore
});

test.each<[string, object, new (message?: string) => Error, string]>([
  ['a missing one', { conditions: { shift } }, ArgumentError, 'sample: the condition "base" is missing'],
  ['an unknown one', { conditions: { ...all, shit: shift } }, ArgumentError, 'Did you mean "shift"?'],
  ['other rows', { conditions: { base: base.rows(1, 5) } }, ShapeError, 'conditions.base must be [5, 2], the rows first, got [4, 2].'],
])('a sampler refuses %s', async (_, change, type, message) => {
  const failing = sample(change);
  await expect(failing).rejects.toThrow(type);
  await expect(failing).rejects.toThrow(message);
}); // prettier-ignore

test('what is done with conditions after the call does not show', async () => {
  await using sampler = createSampler(referenceBackend(), network, { batchSize: 2 });
  const given = { base: base.clone() };
  const sampling = sampler.sample({ ...request, conditions: given });
  given.base.data.fill(7);
  expect(taken((await sampling).samples)).toEqual(each((row) => row + 0.5));
});

describe('a whole sampler as a graph', () => {
  const options = { rows, solver: euler, times: [1, 0.5, 0] };
  const inputs = (graph: { readonly inputs: readonly { readonly name: string }[] }) =>
    graph.inputs.map(({ name }) => name).sort();

  test('names its inputs after the conditions', () => {
    const { graph, nfe } = sampleGraph(network, {}, options);
    expect(inputs(graph)).toEqual(['conditions/base', 'conditions/mask', 'conditions/shift', 'values/noise']);
    expect(nfe).toBe(2);
    const values = { 'values/noise': noise, 'conditions/base': base, 'conditions/mask': mask, 'conditions/shift': shift };
    expect(taken(interpret(graph, values).samples!)).toEqual(each(ofAll));
  }); // prettier-ignore

  test('takes presence where asked, and leaves out what is not wanted', () => {
    const { graph } = sampleGraph(network, {}, { ...options, conditions: ['base', 'shift'], present: true });
    expect(inputs(graph)).toEqual(['conditions/base', 'conditions/shift', 'present/shift', 'values/noise']);
    const values = { 'values/noise': noise, 'conditions/base': base, 'conditions/shift': shift, 'present/shift': hostArray([0, 1, 0, 1, 0]) };
    expect(taken(interpret(graph, values).samples!)).toEqual(each((row) => row + 0.5 + (row % 2) * (row / 8 + 10)));
    expect(() => sampleGraph(network, {}, { ...options, conditions: ['shift'] })).toThrow('"base" is missing');
    expect(() => sampleGraph(network, {}, { ...options, conditions: ['bass'] })).toThrow('Did you mean "base"?');
  }); // prettier-ignore

  test('guides by what is dropped', () => {
    const { graph } = sampleGraph(network, {}, { ...options, guidance: true, drop: ['shift'] });
    const guidance = { scale: hostArray(2), start: hostArray(0), end: hostArray(1) };
    const named = Object.fromEntries(
      Object.entries(guidance).map(([name, value]) => [`conditions/guidance/${name}`, value]),
    );
    const values = { 'values/noise': noise, 'conditions/base': base, 'conditions/mask': mask, 'conditions/shift': shift, ...named }; // prettier-ignore
    expect(taken(interpret(graph, values).samples!)).toEqual(each((row) => ofAll(row) + row / 8 + 10));
  });
});
