/**
 * Chunks are the whole, row by row: whatever a request says of its rows (noise, labels, conditions, which rows have them) goes
 * with them into every chunk, with every solver and every way of guidance. Rows differ in all of it and nothing repeats with the
 * size of a chunk, so that rows of another chunk cannot pass for the right ones.
 */
import {
  add,
  cast,
  type HostArray,
  hostArray,
  mul,
  RandomKey,
  referenceBackend,
  type Tensor,
} from '@meanflow/core';
import {
  createSampler,
  perRow,
  rowConditions,
  solvers,
  uniformGrid,
  type SampleRequest,
} from '../src/index.js';
import { floats, formula } from './helpers.js';

const specs = {
  base: { kind: 'vector', shape: [1] },
  shift: { kind: 'vector', shape: [1], optional: true },
} as const;

/** u = slope · z + a sum of all that a row is given, each at a scale of its own, some of it with t and h. */
const network = formula(
  [1],
  { slope: floats([0.3]) },
  ({ slope }, { z, t, h, label, omega, tMin, tMax, ...given }) => {
    const column = (x: Tensor) => perRow(x, z);
    const [base, shift] = rowConditions(specs, given, z.shape[0]!);
    const guidance = [omega, tMin && mul(7, tMin), tMax && mul(11, tMax)].flatMap((x) =>
      x ? [column(x)] : [],
    );
    const terms = [
      ...(label ? [mul(column(cast(label, 'float32')), column(t))] : []),
      mul(base!.value, column(add(1, h))),
      mul(0.1, shift!.value),
      mul(0.01, column(shift!.presence!)),
      ...guidance,
    ];
    return terms.reduce((sum, term) => add(sum, term), mul(slope, z));
  },
  { classCount: 11, takesGuidance: true, conditions: specs },
);

const COUNT = 11;
const key = RandomKey.fromSeed(8);
const column = (name: string) => key.fold(name).uniform([COUNT, 1]);
const request = {
  params: network.init(key),
  noise: key.fold('noise').normal([COUNT, 1]),
  label: hostArray([4, 9, 1, 7, 10, 0, 3, 8, 2, 6, 5], { dtype: 'int32' }),
  conditions: { base: column('base'), shift: column('shift') },
  present: { shift: hostArray([1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1]) },
  times: uniformGrid(2),
  trajectory: true,
};
type Given = Omit<SampleRequest<{ slope: HostArray<'float32'> }>, 'solver'>;

/** What is asked of the rows `[start, end)` alone. */
function rowsOf(
  { noise, label, conditions = {}, present = {}, ...others }: Given,
  start: number,
  end: number,
): Given {
  const each = (arrays: Readonly<Record<string, HostArray>>) =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.rows(start, end)]));
  return {
    ...others,
    noise: noise.rows(start, end),
    label: label?.rows(start, end),
    conditions: each(conditions),
    present: each(present),
  };
}

const ways: Readonly<Record<string, Partial<Given>>> = {
  'without guidance': {},
  'with guidance as a condition': { condition: { omega: 3, tMin: 0.25, tMax: 0.75 } },
  'with classifier-free guidance': { guidance: { scale: 2.5, start: 0.25, end: 1 } },
};

describe.each(solvers.names)('%s', (name) => {
  test.each(Object.keys(ways))('%s: a chunk is what its rows alone are', async (way) => {
    const asked = { ...request, ...ways[way], solver: solvers.get(name) };
    await using whole = createSampler(referenceBackend(), network);
    await using chunked = createSampler(referenceBackend(), network, { batchSize: 4 });
    const starts: number[] = [];
    for await (const { start, samples, label, trajectory, nfe } of chunked.stream(asked)) {
      starts.push(start);
      const end = start + samples.shape[0];
      const alone = await whole.sample({ ...rowsOf(asked, start, end), solver: asked.solver });
      expect({ samples, trajectory, nfe }).toEqual({
        samples: alone.samples,
        trajectory: alone.trajectory,
        nfe: alone.nfe,
      });
      expect([...label!.data]).toEqual([...request.label.data.subarray(start, end)]);
    }
    expect(starts).toEqual([0, 4, 8]);
    // An adaptive solver chooses the steps of a chunk by its rows.
    if (asked.solver.kind === 'adaptive') return;
    const { samples, trajectory } = await chunked.sample(asked);
    expect({ samples, trajectory }).toEqual(
      (({ samples, trajectory }) => ({ samples, trajectory }))(await whole.sample(asked)),
    );
  });
});

test('every input of a row makes a difference to that row alone', async () => {
  await using sampler = createSampler(referenceBackend(), network, { batchSize: 4 });
  const asked = { ...request, solver: solvers.get('euler'), guidance: { scale: 2 } };
  const { samples: before } = await sampler.sample(asked);
  const ROW = 6;
  const changed = <D extends 'int32' | 'float32'>(array: HostArray<D>, value: number): HostArray<D> => {
    const copy = array.clone();
    copy.data[ROW] = value;
    return copy;
  };
  const { noise, label, conditions, present } = request;
  // A row that lacks a condition is not changed by its value: the row that is changed has it.
  const has = { shift: changed(present.shift, 1) };
  const cases: readonly Partial<Given>[] = [
    { noise: changed(noise, 2) },
    { label: changed(label, 5) },
    { conditions: { ...conditions, base: changed(conditions.base, 3) } },
    { present: has },
    { present: has, conditions: { ...conditions, shift: changed(conditions.shift, 3) } },
  ];
  const values = new Set<number>();
  for (const change of cases) {
    const { samples } = await sampler.sample({ ...asked, ...change });
    const differing = [...samples.data.keys()].filter((row) => samples.data[row] !== before.data[row]);
    expect(differing).toEqual([ROW]);
    values.add(samples.data[ROW]!);
  }
  expect(values.size).toBe(cases.length);
});
