/** Conditions in training: dropped by streams of their own, shown without what was dropped, compared by guidance. */
import { add, hostArray, mul, RandomKey, type HostArray, type Tensor } from '@meanflow/core';
import { perRow, rowConditions, type VelocityNetwork } from '@meanflow/samplers';
import {
  createObjective,
  flowMatching,
  meanFlow,
  type ImprovedMeanFlowConfig,
  type MeanFlowConfig,
  type ObjectiveConfig,
  type TrainingBatch,
  type VelocityDraws,
} from '../../src/index.js';
import { improvedMeanFlowTerms, meanFlowTerms } from '../../src/published.js';
import { evaluate } from '../helpers.js';

const rows = 6;
const key = RandomKey.fromSeed(12);
const specs = {
  a: { kind: 'vector', shape: [1], optional: true },
  b: { kind: 'vector', shape: [1], optional: true },
  base: { kind: 'vector', shape: [1] },
} as const;

/** u = a + 10 · (a is there) + b + 100 · (b is there) + 1000 · base + 10⁴ · label: the same at all times. */
const network: VelocityNetwork = {
  featureShape: [1],
  classCount: 3,
  takesGuidance: true,
  hasVelocityHead: false,
  conditions: specs,
  init: () => ({}),
  apply: (_, { z, label, ...given }) => {
    const [a, b, base] = rowConditions(specs, given, z.shape[0]!);
    const terms = [a!.value, mul(10, perRow(a!.presence!, z)), b!.value, mul(100, perRow(b!.presence!, z)), mul(1000, base!.value)]; // prettier-ignore
    const own = label === undefined ? [] : [mul(1e4, perRow(label.cast('float32'), z))];
    return { u: [...terms, ...own].reduce((sum, term) => add(sum, term), mul(z, 0)) };
  },
};

const column = (value: (row: number) => number) =>
  hostArray(Array.from({ length: rows }, (_, row) => [value(row)]));
const [a, b, base] = [column((row) => row), column((row) => row / 4), column((row) => row % 3)];
const label = hostArray([0, 1, 2, 0, 1, 2], { dtype: 'int32' });
const batch: TrainingBatch = { x: key.normal([rows, 1]), label, conditions: { a, b, base } };
const bools = (...values: number[]) => hostArray(values, { dtype: 'bool' });

const given = (row: number, without: readonly string[] = []) =>
  (without.includes('a') ? 0 : a.data[row]! + 10) +
  (without.includes('b') ? 0 : b.data[row]! + 100) +
  1000 * base.data[row]! +
  1e4 * (without.includes('label') ? 3 : label.data[row]!);

describe('draws', () => {
  const drawn = (conditionDrop: Readonly<Record<string, number>>, of: TrainingBatch = batch) =>
    flowMatching({ kind: 'flow-matching', conditionDrop }).draw({ network, key, batch: of, step: 0 });

  test('each condition has a stream of its own', () => {
    const many: TrainingBatch = { x: key.normal([4000, 1]), conditions: { a: key.normal([4000, 1]), b: key.normal([4000, 1]) } }; // prettier-ignore
    const both = drawn({ a: 0.25, b: 0.5 }, many).droppedConditions!;
    const alone = drawn({ a: 0.25 }, many);
    expect([...alone.droppedConditions!.a!.data]).toEqual([...both.a!.data]);
    expect(Object.keys(alone.droppedConditions!)).toEqual(['a']);
    const uniforms = key.fold('conditionDrop').fold('a').uniform([4000]).data;
    expect([...both.a!.data]).toEqual(Array.from(uniforms, (u) => Number(u < 0.25)));
    const share = (name: 'a' | 'b') => both[name]!.data.reduce((sum, value) => sum + value, 0) / 4000;
    expect(share('a')).toBeCloseTo(0.25, 1);
    expect(share('b')).toBeCloseTo(0.5, 1);
    const together = both.a!.data.filter((value, i) => value === 1 && both.b!.data[i] === 1).length / 4000;
    expect(together).toBeCloseTo(0.125, 1);
  });

  test('the others stay as they are, and what a batch lacks is not dropped', () => {
    const { droppedConditions, ...others } = drawn({ a: 0.5 });
    expect(droppedConditions).toBeDefined();
    expect(others).toEqual(drawn({}));
    expect(drawn({ a: 0.5 }, { x: batch.x })).toEqual(drawn({}, { x: batch.x }));
    expect(drawn({ a: 0 })).toEqual(drawn({}));
  });

  test('probabilities are checked', () => {
    expect(() => drawn({ a: 1.5 })).toThrow('conditionDrop.a: expected at most 1, got 1.5.');
    expect(() => meanFlow({ kind: 'meanflow', conditionDrop: { a: -1 } })).toThrow('conditionDrop.a');
  });
});

/** u on each row, which tells what the network was shown: the same where some rows are differentiated by themselves. */
function shown(config: ObjectiveConfig, draws: VelocityDraws, of = batch, net = network): number[] {
  const { whole, last } = evaluate(
    (inputs) => {
      const seen: Tensor[] = [];
      const watching = {
        ...net,
        apply: (...args: Parameters<VelocityNetwork['apply']>) => {
          const out = net.apply(...args);
          seen.push(out.u);
          return out;
        },
      };
      createObjective(config).loss({ network: watching, references: {}, ...inputs });
      const whole = seen.findLast(({ shape }) => shape[0] === rows)!;
      return { whole, last: seen.at(-1)! };
    },
    { params: {}, batch: of, draws },
  );
  const [all, some] = [whole, last].map((u) =>
    Array.from(u!.data, (value) => Math.round(value * 100) / 100 + 0),
  );
  expect(some).toEqual(all!.slice(-some!.length));
  return all!;
}

const objectives = ['flow-matching', 'meanflow', 'improved-meanflow'] as const;
const configOf = (kind: (typeof objectives)[number]): ObjectiveConfig =>
  kind === 'improved-meanflow' ? { kind, tangent: 'boundary' } : { kind };

describe.each(objectives)('%s', (kind) => {
  const config = configOf(kind);
  const draws = createObjective(config).draw({ network, key, batch, step: 0 });
  const every = (value: (row: number) => number) => Array.from({ length: rows }, (_, row) => value(row));

  test('shows the network the conditions of its rows', () => {
    expect(shown(config, draws)).toEqual(every((row) => given(row)));
  });

  test('without those that are dropped, and those that rows lack', () => {
    const droppedConditions = { a: bools(1, 0, 0, 1, 0, 0), b: bools(0, 1, 0, 1, 0, 0) };
    const present = { a: hostArray([1, 1, 0, 1, 1, 0]) };
    const lacking = (row: number) => [...([0, 2, 3, 5].includes(row) ? ['a'] : []), ...([1, 3].includes(row) ? ['b'] : [])]; // prettier-ignore
    expect(shown(config, { ...draws, droppedConditions }, { ...batch, present })).toEqual(
      every((row) => given(row, lacking(row))),
    );
  });

  test('shows none to a network that declares none', () => {
    const plain: VelocityNetwork = { ...network, conditions: undefined, apply: (_, { z, conditions, present }) => ({ u: mul(z, (conditions ?? present) === undefined ? 0 : 1) }) }; // prettier-ignore
    expect(shown(config, draws, batch, plain)).toEqual(every(() => 0));
  });

  test('drops nothing that a network always has', () => {
    const droppedConditions = { base: bools(1, 0, 0, 0, 0, 0) };
    expect(() => shown(config, { ...draws, droppedConditions })).toThrow(
      'conditionDrop: "base" is no optional condition of the network; it has a, b.',
    );
  });
});

type Guided = { readonly guided: HostArray; readonly v: HostArray };

/** v_g of each row, and v. */
function guided(config: MeanFlowConfig | ImprovedMeanFlowConfig, change: Partial<VelocityDraws>): Guided {
  const draws = { ...createObjective(config).draw({ network, key, batch, step: 0 }), ...change };
  const terms = evaluate(
    (inputs) => {
      const { guidedVelocity, v } =
        config.kind === 'meanflow'
          ? meanFlowTerms(config, { network, ...inputs })
          : improvedMeanFlowTerms(config, { network, ...inputs });
      return { guidedVelocity, v };
    },
    { params: {}, batch, draws },
  );
  return { guided: terms.guidedVelocity!, v: terms.v! };
}

describe('guidance compares what is given with what is left', () => {
  const change = { dropped: bools(1, 0, 0, 0, 0, 0), droppedConditions: { a: bools(0, 1, 0, 0, 0, 0), b: bools(0, 0, 1, 0, 0, 0) } }; // prettier-ignore
  /** Names that guidance drops; what is not there of the rest; rows that are not guided. */
  const cases: [string, readonly string[] | undefined, readonly string[], readonly number[]][] = [
    ['everything that may be absent', undefined, ['label', 'a', 'b'], [0, 1, 2]],
    ['one condition', ['a'], ['a'], [1]],
    ['label alone', ['label'], ['label'], [0]],
    ['label and a condition', ['label', 'b'], ['label', 'b'], [0, 2]],
  ];
  const lacking = (row: number) => (row === 1 ? ['a'] : row === 2 ? ['b'] : []);
  const expectRows = (
    { guided, v }: Guided,
    unguided: readonly number[],
    expected: (row: number, v: number) => number,
  ) =>
    guided.data.forEach((value, row) => {
      const own = v.data[row]!;
      expect(value / 1e4).toBeCloseTo((unguided.includes(row) ? own : expected(row, own)) / 1e4, 5);
    });
  test.each(cases)('MeanFlow: %s', (_, guidanceDrop, names, unguided) => {
    const drop = guidanceDrop === undefined ? {} : { guidanceDrop };
    for (const [omega, kappa] of [[0.5, 0.3], [3, 0]] as const) {
      const found = guided({ kind: 'meanflow', guidance: { omega, kappa }, ...drop }, change);
      expectRows(found, unguided, (row, v) => {
        const [with_, without] = [given(row, lacking(row)), given(row, [...lacking(row), ...names])];
        return omega * v + (1 - omega - kappa) * without + kappa * with_;
      });
    }
  }); // prettier-ignore

  test.each(cases)('improved MeanFlow: %s', (_, guidanceDrop, names, unguided) => {
    const drop = guidanceDrop === undefined ? {} : { guidanceDrop };
    const scales = { omega: hostArray([2, 2, 2, 4, 4, 4]), tMin: hostArray(Array(rows).fill(0)), tMax: hostArray(Array(rows).fill(1)) }; // prettier-ignore
    const found = guided({ kind: 'improved-meanflow', tangent: 'boundary', guidance: { maxScale: 8, power: 1 }, ...drop }, { ...change, ...scales }); // prettier-ignore
    expectRows(found, unguided, (row, v) => {
      const [with_, without] = [given(row, lacking(row)), given(row, [...lacking(row), ...names])];
      return v + (1 - 1 / scales.omega.data[row]!) * (with_ - without);
    });
  });

  test('what cannot be absent cannot be dropped', () => {
    const guidance = { omega: 2 };
    expect(() => guided({ kind: 'meanflow', guidance, guidanceDrop: ['base'] }, {})).toThrow(
      '"base" is not a label of a network with classes, or an optional condition',
    );
  });
});
