/** Networks and objectives as others write them: what is left out follows, and what is wrong is named. */
import {
  add,
  constant,
  HostArray,
  mean,
  mul,
  RandomKey,
  sub,
  trace,
  treePaths,
  type AverageReference,
} from '@meanflow/core';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import {
  composeNetwork,
  createNetwork,
  createObjective,
  linear,
  linearParameters,
  networks,
  networkSettingsSchema,
  objectives,
  objectiveSchema,
  type AnyObjective,
  type NetworkDefinition,
  type ObjectiveDefinition,
  type StandardSchema,
  type VelocityDraws,
  type VelocityObjective,
} from '../src/index.js';

const settings = z.object({ width: z.int().positive().default(4) });
const tiny: NetworkDefinition<{
  readonly kind: string;
  readonly featureShape: readonly number[];
  readonly width: number;
}> = {
  name: 'tiny',
  settings,
  create: ({ featureShape: [size = 0], width }) => {
    const specs = {
      hidden: linearParameters(size, width, 'xavier'),
      out: linearParameters(width, size, 'xavier'),
    };
    return composeNetwork(
      { kind: 'tiny', featureShape: [size] },
      {
        specs,
        apply: (params, inputs) => ({ u: linear(params.out, linear(params.hidden, inputs.z)) }),
      },
    );
  },
};

test('a network from what it makes of its parameters: facts, shapes and defaults follow', () => {
  const entry = networks.register(tiny);
  expect(entry).toMatchObject({ layout: 'nhwc', isFlat: false, takesClasses: true });
  expect(entry.facts({ kind: 'tiny' })).toEqual({
    takesGuidance: false,
    hasVelocityHead: false,
    description: 'tiny, 4 wide',
  });
  const config = { kind: 'tiny', featureShape: [3], classCount: 2 };
  const network = createNetwork(config);
  expect(network).toMatchObject({
    config,
    featureShape: [3],
    classCount: 2,
    takesGuidance: false,
    parameterCount: 31,
  });
  const params = network.init(RandomKey.fromSeed(0));
  expect(treePaths(params).map(({ path }) => path)).toContain('hidden/kernel');
  expect(() => createNetwork({ ...config, width: 0 } as typeof config)).toThrow('tiny: width: expected');
  expect(networkSettingsSchema().parse({ kind: 'tiny' })).toEqual({ kind: 'tiny' });
  expect(networkSettingsSchema().safeParse({ kind: 'tiny', wdith: 3 }).success).toBe(false);
});

test.each([
  [{ name: 'a' }, 'The network "a": create is a function, got undefined.'],
  [{ ...tiny, name: 'b', isflat: true }, 'The network "b" has no option "isflat"'],
  [{ ...tiny, name: 'c', settings: 3 }, 'c: settings are a schema'],
])('%j is no network', (definition, message) => {
  expect(() => networks.register(definition as NetworkDefinition)).toThrow(message);
});

type Draws = VelocityDraws & { readonly weight: HostArray<'float32'> };
const distilled = (
  config: object,
): VelocityObjective<object, Draws, { readonly teacher: AverageReference }> => ({
  name: 'distilled',
  config,
  references: { teacher: { average: 0.9 } },
  draw: ({ key, batch, step }) => ({
    noise: key.fold('noise').normal(batch.x.shape),
    t: key.fold('t').uniform([batch.x.shape[0]!]),
    weight: new HostArray('float32', [], Float32Array.of(step)),
  }),
  rowsOf: (draws) => draws,
  loss: ({ network, params, batch, draws, references: { teacher } }) => {
    const at = { z: batch.x, t: draws.t, h: draws.t };
    const { u } = network.apply(params, at);
    const taught = teacher.network.apply(teacher.params, at).u;
    const error = mean(mul(sub(u, taught), sub(u, taught)));
    return { loss: add(mul(error, draws.weight), mean(u)), metrics: { squaredError: error } };
  },
});

test('an objective with draws and references of its own', () => {
  const definition: ObjectiveDefinition = { name: 'distilled-flow', create: distilled };
  const entry = objectives.register(definition);
  expect(entry).toMatchObject({
    title: 'Distilled flow',
    description: '',
    solver: 'average-velocity',
    colours: { light: '#a8437f' },
  });
  const config = { kind: 'distilled-flow', anything: [1] };
  expect(objectiveSchema().parse(config)).toEqual(config);
  const objective = createObjective(config);
  expect(objective).toMatchObject({
    name: 'distilled-flow',
    config,
    references: { teacher: { average: 0.9 } },
  });
  expect(entry.isClassifierFree(config)).toBe(false);
  expect(
    entry.optionalConditions({ ...config, conditionDrop: { turn: 0.1, other: 0 } } as typeof config),
  ).toEqual(['turn']);
  const network = createNetwork({ kind: 'tiny', featureShape: [3] });
  const key = RandomKey.fromSeed(0);
  const x = key.normal([2, 3]);
  const draws = objective.draw({ network, key, batch: { x }, step: 7 });
  const params = network.init(key);
  const { graph } = trace(
    (given) =>
      objective.loss({
        network,
        params: given.params,
        batch: { x: given.x },
        draws: given.draws,
        references: { teacher: { network, params: given.params } },
      }),
    { params, x, draws },
  );
  expect(graph.toString()).toContain('draws/weight');
});

test('colours go on after those that are there, and the first come again', () => {
  const places = [...objectives].map(({ colours }) => colours.light);
  expect(new Set(places).size).toBe(places.length);
  expect(() =>
    objectives.check({ name: 'x', create: distilled, colours: { light: 'red', dark: '#ffffff' } }),
  ).toThrow('The objective "x": colours are { light, dark }, each as #rrggbb.');
});

test('settings by a schema of any library', () => {
  const schema: StandardSchema = {
    '~standard': {
      validate: (value) => {
        const { strength = 2 } = value as { strength?: unknown };
        return typeof strength === 'number'
          ? { value: { strength } }
          : { issues: [{ message: 'expected a number', path: [{ key: 'strength' }] }] };
      },
    },
  };
  const seen: object[] = [];
  objectives.register({
    name: 'standard',
    settings: schema,
    create: (config) => {
      seen.push(config);
      return distilled(config);
    },
  });
  expect(objectiveSchema().parse({ kind: 'standard' })).toEqual({ kind: 'standard' });
  expect(objectiveSchema().safeParse({ kind: 'standard', strength: 'much' }).error?.issues).toMatchObject([
    { path: ['strength'], message: 'expected a number' },
  ]);
  expect(createObjective({ kind: 'standard' }).config).toEqual({ kind: 'standard' });
  expect(seen).toEqual([{ kind: 'standard', strength: 2 }]);
});

test('what is made may be of a class, whose methods are called on it', () => {
  class Still {
    readonly specs = {};
    readonly #factor = 3;
    apply(_: object, { z }: VelocityInputs) {
      return { u: mul(z, this.#factor) };
    }
  }
  networks.register({ name: 'still', create: () => new Still() });
  const points = constant([[1, 2]]);
  const inputs = { z: points, t: points, h: points };
  const { u } = createNetwork({ kind: 'still', featureShape: [2] }).apply({}, inputs);
  expect(u.shape).toEqual([1, 2]);

  const result = { loss: constant(0), metrics: {} };
  class Plain {
    readonly #made = createObjective({ kind: 'flow-matching' });
    readonly #result = result;
    draw(...[given]: Parameters<AnyObjective['draw']>) {
      return this.#made.draw(given);
    }
    loss() {
      return this.#result;
    }
  }
  objectives.register({ name: 'plain', create: () => new Plain() });
  const objective = createObjective({ kind: 'plain' });
  const given = { key: RandomKey.fromSeed(0), batch: { x: { shape: [4, 2] } }, step: 0, network: {} };
  expect(objective.draw(given)).toEqual(createObjective({ kind: 'flow-matching' }).draw(given));
  expect(objective.loss({} as Parameters<AnyObjective['loss']>[0])).toBe(result);
});

test('a schema that takes other fields expressly is asked for them too', () => {
  const loose = {
    name: 'loose',
    settings: z.looseObject({ width: z.int().default(4) }),
    create: tiny.create,
  };
  const { asked, complete } = networks.register(loose as NetworkDefinition).settings;
  expect(asked.parse({ kind: 'loose', extra: 1 })).toEqual({ kind: 'loose', extra: 1 });
  expect(complete({ kind: 'loose', extra: 1 })).toEqual({ kind: 'loose', extra: 1, width: 4 });
  expect(asked.safeParse({ kind: 'loose', width: 'wide' }).success).toBe(false);
});
