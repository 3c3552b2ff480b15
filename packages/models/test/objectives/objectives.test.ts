import {
  hostArray,
  RandomKey,
  spec,
  trace,
  type HostArray,
  type Objective,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import {
  createObjective,
  flowMatching,
  improvedMeanFlow,
  improvedMeanFlowPreset,
  meanFlow,
  meanFlowPresets,
  mlp,
  type MlpParameters,
  type ObjectiveConfig,
  type TrainingBatch,
  type VelocityDraws,
  type VelocityNetwork,
} from '../../src/index.js';
import { droppedFromRaw } from '../../src/published.js';
import { evaluate } from '../helpers.js';

const key = RandomKey.fromSeed(9);
const batch: TrainingBatch = { x: key.normal([40, 2]), label: key.integers([40], 0, 3) };
const network = mlp({ kind: 'mlp', featureShape: [2], width: 6, depth: 2, classCount: 3 });
const full = mlp({ ...network.config, guidance: true, velocityHead: { depth: 1 } });

const configs: [string, ObjectiveConfig, string[], string[]][] = [
  ['flow matching', { kind: 'flow-matching' }, ['noise', 't'], ['squaredError']],
  ['flow matching with label drop', { kind: 'flow-matching', labelDrop: { probability: 0.2 } }, ['noise', 't', 'dropped'], ['squaredError']],
  ['MeanFlow XL/2', meanFlowPresets['XL/2'], ['noise', 't', 'r', 'dropped'], ['squaredError', 'velocityError']],
  ['improved MeanFlow', improvedMeanFlowPreset, ['noise', 't', 'r', 'dropped', 'omega', 'tMin', 'tMax'], ['squaredError', 'headSquaredError']],
  ['improved MeanFlow, boundary', { kind: 'improved-meanflow', tangent: 'boundary' }, ['noise', 't', 'r'], ['squaredError']],
]; // prettier-ignore

describe.each(configs)('%s', (name, config, drawn, metrics) => {
  const objective = createObjective(config);

  test('draws what it uses, from its key alone', () => {
    const draws = objective.draw({ network, key, batch, step: 0 });
    expect(Object.keys(draws).sort()).toEqual([...drawn].sort());
    expect(objective.draw({ network, key, batch, step: 0 })).toEqual(draws);
    expect(objective.draw({ network, key: key.fold(1), batch, step: 0 })).not.toEqual(draws);
    const { noise, r, ...rest } = draws;
    expect(noise.shape).toEqual([40, 2]);
    // Of the rows that have an interval.
    const rows = { 'MeanFlow XL/2': 10, 'improved MeanFlow': 20, 'improved MeanFlow, boundary': 20 }[name];
    expect(r?.shape[0]).toBe(rows);
    for (const array of Object.values(rest) as HostArray[]) expect(array.shape).toEqual([40]);
  });

  test('is a finite loss with metrics, and is made from its configuration as JSON', () => {
    const again = createObjective(JSON.parse(JSON.stringify(config)) as ObjectiveConfig);
    const draws = again.draw({ network, key, batch, step: 0 });
    expect(draws).toEqual(objective.draw({ network, key, batch, step: 0 }));
    const { loss, ...rest } = evaluate(
      ({ params, batch, draws }) => {
        const result = again.loss({ network: full, params, batch, draws, references: {} });
        return { loss: result.loss, ...result.metrics };
      },
      { params: full.init(key), batch, draws },
    );
    expect(Object.keys(rest).sort()).toEqual(metrics.sort());
    for (const value of [loss, ...Object.values(rest)]) {
      expect(value.shape).toEqual([]);
      expect(value.item()).toBeGreaterThan(0);
      expect(Number.isFinite(value.item())).toBe(true);
    }
  });
});

test('an objective fits the contract of core for the parameters of any network', () => {
  const contract: Objective<
    VelocityNetwork<MlpParameters>,
    MlpParameters,
    TrainingBatch,
    VelocityDraws
  > = meanFlow();
  expect(contract.name).toBe('meanflow');
});

test('dropped labels: the first rows in binomial number, or any rows', () => {
  const uniforms = hostArray([0.9, 0.05, 0.5, 0.08, 0.7]);
  expect([...droppedFromRaw({ probability: 0.1, rows: 'first' }, uniforms).data]).toEqual([1, 1, 0, 0, 0]);
  expect([...droppedFromRaw({ probability: 0.1, rows: 'any' }, uniforms).data]).toEqual([0, 1, 0, 1, 0]);
  expect([...droppedFromRaw({ probability: 0 }, uniforms).data]).toEqual([0, 0, 0, 0, 0]);
});

test('data without labels draws no label drop, and a network without classes is not shown labels', () => {
  const objective = flowMatching({ kind: 'flow-matching', labelDrop: { probability: 0.5 } });
  expect(objective.draw({ network, key, batch: { x: batch.x }, step: 0 })).not.toHaveProperty('dropped');
  const unconditional = mlp({ kind: 'mlp', featureShape: [2], width: 6, depth: 2 });
  const draws = objective.draw({ network, key, batch, step: 0 });
  const run = (given: TrainingBatch) =>
    evaluate(
      ({ params, batch, draws }) => ({
        loss: objective.loss({ network: unconditional, params, batch, draws, references: {} }).loss,
      }),
      { params: unconditional.init(key), batch: given, draws },
    ).loss.item();
  expect(run(batch)).toBe(run({ x: batch.x }));
});

test('dropped labels are hidden from what is trained, not from the velocities that guide it', () => {
  const seen: { label: Tensor | undefined; rows: number }[] = [];
  const watching: typeof full = {
    ...full,
    apply: (params, inputs) => {
      seen.push({ label: inputs.label, rows: inputs.z.shape[0] });
      return full.apply(params, inputs);
    },
  };
  const labels = (config: ObjectiveConfig, which: number) => {
    const draws = {
      ...improvedMeanFlow(improvedMeanFlowPreset).draw({ network, key, batch, step: 0 }),
      dropped: hostArray([1, 1, 1, ...Array<number>(37).fill(0)], { dtype: 'bool' }),
    };
    seen.length = 0;
    return evaluate(
      ({ params, batch, draws }) => {
        createObjective(config).loss({ network: watching, params, batch, draws, references: {} });
        return { label: seen[which].label! };
      },
      { params: full.init(key), batch, draws },
    ).label.data;
  };
  const original = [...batch.label!.data];
  const shown = original.map((label, i) => (i < 3 ? 3 : label));
  const nobody = original.map(() => 3);
  const unguided = { kind: 'improved-meanflow' } as const;
  // The tangent is that of the rows that have an interval.
  expect([...labels(unguided, 0)]).toEqual(original.slice(20));
  expect([...labels(unguided, 1)]).toEqual(shown);
  expect([...labels(improvedMeanFlowPreset, 0)]).toEqual([...original, ...nobody]);
  expect([...labels(improvedMeanFlowPreset, 1)]).toEqual(shown);
  expect([...labels(meanFlowPresets['B/2'], 0)]).toEqual([...nobody, ...original]);
  expect([...labels(meanFlowPresets['B/2'], 1)]).toEqual(shown);
  expect([...labels({ kind: 'flow-matching' }, 0)]).toEqual(shown);
});

test('MeanFlow with r = t on every row, unweighted and unguided, is flow matching', () => {
  const times = { kind: 'uniform' } as const;
  const weight = { power: 0, epsilon: 1 };
  const both = [
    meanFlow({ kind: 'meanflow', intervals: { t: times, equalShare: 1 }, weight }),
    flowMatching({ kind: 'flow-matching', weight }),
  ];
  const draws = both[0].draw({ network, key, batch, step: 0 });
  const [a, b] = both.map((objective) =>
    evaluate(
      ({ params, batch, draws }) => ({
        loss: objective.loss({ network, params, batch, draws, references: {} }).loss,
      }),
      {
        params: network.init(key),
        batch,
        draws,
      },
    ).loss.item(),
  );
  expect(Math.abs(a - b)).toBeLessThan(1e-12);
});

describe('errors say what to set', () => {
  const lossOf = (config: ObjectiveConfig, net: VelocityNetwork<MlpParameters>, labels: boolean) => () => {
    const x = { x: spec([2, 2]), t: spec([2]) };
    trace(({ x, t }) => {
      const given = { x, ...(labels ? { label: t } : {}) } as never;
      const draws = { noise: x, t, r: t } as Symbolic<VelocityDraws>;
      return createObjective(config).loss({
        network: net,
        params: net.init(key) as never,
        batch: given,
        draws,
        references: {},
      }).loss;
    }, x);
  };
  const plain = mlp({ kind: 'mlp', featureShape: [2], width: 6, depth: 2 });
  test.each<[string, () => void, RegExp]>([
    ['no velocity head', lossOf({ kind: 'improved-meanflow' }, plain, false), /velocityHead.*tangent: 'boundary'/],
    ['no guidance inputs', lossOf({ kind: 'improved-meanflow', tangent: 'boundary', guidance: {} }, plain, false), /guidance: true/],
    ['no draws', lossOf({ kind: 'improved-meanflow', guidance: {} }, full, true), /omega, tMin and tMax/],
    ['no classes', lossOf(meanFlowPresets['B/2'], plain, true), /network with classCount/],
    ['no labels', lossOf(meanFlowPresets['B/2'], network, false), /labels in the batch/],
    ['omega', () => meanFlow({ kind: 'meanflow', guidance: { omega: -1 } }), /omega.*got -1/],
    ['kappa', () => meanFlow({ kind: 'meanflow', guidance: { omega: 1, kappa: 1 } }), /kappa.*got 1/],
    ['interval', () => meanFlow({ kind: 'meanflow', guidance: { omega: 1, start: 0.8, end: 0.2 } }), /guidance\.start: expected at most end/],
    ['power', () => flowMatching({ kind: 'flow-matching', weight: { power: -1, epsilon: 1 } }), /power.*got -1/],
    ['epsilon', () => meanFlow({ kind: 'meanflow', weight: { power: 1, epsilon: 0 } }), /epsilon.*got 0/],
    ['drop', () => improvedMeanFlow({ kind: 'improved-meanflow', labelDrop: { probability: 2 } }), /labelDrop.*got 2/],
    ['scale', () => improvedMeanFlow({ kind: 'improved-meanflow', guidance: { maxScale: 1 } }), /maxScale.*got 1/],
    ['times', () => flowMatching({ kind: 'flow-matching', times: { kind: 'uniform', min: 2 } }), /times\.min: expected at most 1, got 2/],
  ])('%s', (_, make, message) => expect(make).toThrow(message)); // prettier-ignore
});
