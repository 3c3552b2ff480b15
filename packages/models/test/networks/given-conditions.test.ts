/** Conditions in every network: each reaches the output of its own row and of no other, absence is not zero, and a network without has the parameters that it had. */
import { hostArray, HostArray, RandomKey, treeFlatten, treePaths, type ConditionSpecs } from '@meanflow/core';
import type { ParameterTree } from '@meanflow/samplers';
import { adoptParameters, createNetwork, type NetworkConfig } from '../../src/index.js';
import { evaluate } from '../helpers.js';

const key = RandomKey.fromSeed(21);
const batch = 3;
const small = { width: 16, depth: 2 };
const inContext = { width: 16, depth: 2, heads: 2, patchSize: 2, headDepth: 1, guidance: false };

/** Networks of images `[4, 4, 2]`, or `[2, 4, 4]`, and of vectors. */
const networks: readonly NetworkConfig[] = [
  { kind: 'mlp', featureShape: [5], ...small },
  { kind: 'mlp', featureShape: [4, 4, 2], ...small, join: 'add' },
  { kind: 'residual-mlp', featureShape: [5], ...small },
  { kind: 'residual-mlp', featureShape: [32], ...small, join: 'concatenate', velocityHead: { depth: 1 } },
  { kind: 'dit', featureShape: [4, 4, 2], ...small, patchSize: 2, heads: 2, classCount: 2 },
  { kind: 'unet', featureShape: [4, 4, 2], channels: 8, channelMultipliers: [1, 2], attentionLevels: [1] },
  { kind: 'imf-dit', featureShape: [4, 4, 2], ...inContext },
  { kind: 'pmf-dit', featureShape: [4, 4, 2], ...inContext },
  { kind: 'song-unet', featureShape: [2, 4, 4], channels: 8, channelMultipliers: [1, 1], blocks: 1, attentionResolutions: [2] },
]; // prettier-ignore

const isFirst = (kind: string) => kind === 'song-unet';
const specsFor = ({ kind }: NetworkConfig): ConditionSpecs => ({
  picture: { kind: 'image', shape: isFirst(kind) ? [3, 4, 4] : [4, 4, 3] },
  known: { kind: 'mask', shape: isFirst(kind) ? [1, 4, 4] : [4, 4, 1], optional: true },
  numbers: { kind: 'vector', shape: [3], optional: true },
  words: { kind: 'sequence', shape: [2, 4], optional: true },
  missing: { kind: 'mask', shape: [6] },
});

type Arrays = Readonly<Record<string, HostArray<'float32'>>>;
const drawn = (specs: ConditionSpecs): Arrays =>
  Object.fromEntries(
    Object.entries(specs).map(([name, { shape }]) => [name, key.fold(name).normal([batch, ...shape])]),
  );

/** Parameters that are nowhere zero. */
function randomParameters(config: NetworkConfig): ParameterTree {
  const network = createNetwork(config);
  const { leaves, structure } = treeFlatten<HostArray>(network.init(key));
  const random = leaves.map(({ shape }, i) => {
    const { data } = key.fold(structure.paths[i]!).normal(shape);
    return new HostArray('float32', shape, data.map((x) => 0.3 * x)); // prettier-ignore
  });
  return structure.unflatten<HostArray>(random) as ParameterTree;
}

/** u and v of each row. */
function outputs(
  config: NetworkConfig,
  conditions: Arrays | undefined,
  present: Arrays = {},
  params = randomParameters(config),
): number[][] {
  const network = createNetwork(config);
  const inputs = {
    z: key.fold('z').normal([batch, ...config.featureShape]),
    t: hostArray([0.2, 0.5, 0.9]),
    h: hostArray([0.1, 0, 0.9]),
    conditions,
    present,
  };
  const { u } = evaluate(({ params, inputs }) => {
    const out = network.apply(params, inputs);
    return { u: out.v === undefined ? out.u : out.u.add(out.v) };
  }, { params, inputs }); // prettier-ignore
  const width = u!.size / batch;
  return Array.from({ length: batch }, (_, row) => [...u!.data.slice(row * width, (row + 1) * width)]);
}

const changed = (before: number[][], after: number[][]): number[] =>
  before.flatMap((values, row) =>
    values.some((value, i) => Math.abs(value - after[row]![i]!) > 1e-9) ? [row] : [],
  );

describe.each(
  networks.map((config) => [`${config.kind} of ${config.featureShape.join(' × ')}`, config] as const),
)('%s', (_, plain) => {
  const specs = specsFor(plain);
  const config = { ...plain, conditions: specs } as NetworkConfig;
  const all = drawn(specs);
  const before = outputs(config, all);

  test.each(Object.keys(specs))('the condition "%s" reaches its row alone', (name) => {
    const array = all[name]!.clone();
    const width = array.size / batch;
    array.data[width + 1]! += 0.5;
    expect(changed(before, outputs(config, { ...all, [name]: array }))).toEqual([1]);
  });

  test.each(Object.keys(specs).filter((name) => specs[name]!.optional))('without "%s" is not with zeros', (name) => {
      const { [name]: array, ...others } = all;
      const zeros = outputs(config, { ...all, [name]: new HostArray('float32', array!.shape, new Float32Array(array!.size)) });
      const absent = outputs(config, others);
      expect(changed(zeros, absent)).toEqual([0, 1, 2]);
      // Of some rows only, whatever stands there.
      const some = outputs(config, all, { [name]: hostArray([1, 0, 1]) });
      expect([some[0], some[1], some[2]]).toEqual([before[0], absent[1], before[2]]);
    }); // prettier-ignore

  test('what is missing, unknown or badly declared is refused', () => {
    const { missing: _missing, ...others } = all;
    expect(() => outputs(config, others)).toThrow('The condition "missing" is missing');
    expect(() => outputs(plain, all)).toThrow('was given to a network that does not declare it');
    expect(() => createNetwork({ ...plain, conditions: { label: { kind: 'vector', shape: [1] } } })).toThrow('"label" cannot name a condition'); // prettier-ignore
  });

  test('parameters of a network without conditions are what they were', () => {
      const shapes = (of: NetworkConfig) =>
        treePaths<HostArray>(createNetwork(of).init(key)).map(({ path, leaf }) => `${path} ${leaf.shape.join()}`);
      expect(shapes({ ...plain, conditions: {} } as NetworkConfig)).toEqual(shapes(plain));
      const paths = new Set(shapes(config).map((each) => each.split(' ')[0]));
      expect(shapes(plain).filter((each) => !paths.has(each.split(' ')[0]!))).toEqual([]);
    }); // prettier-ignore
});

test.each(networks.filter(({ kind }) => kind.endsWith('mlp')))(
  'a network without conditions is continued with them as the function that it was: $kind, $join',
  (plain) => {
    const specs = specsFor(plain);
    const config = { ...plain, conditions: specs } as NetworkConfig;
    const given = randomParameters(plain);
    const { params, report } = adoptParameters(
      createNetwork(config),
      { config: plain, params: given },
      { key },
    );
    expect(report.left).toEqual([]);
    expect(changed(outputs(plain, undefined, {}, given), outputs(config, drawn(specs), {}, params))).toEqual(
      [],
    );
  },
);

test('images have the sides of the network’s', () => {
  const config = { kind: 'dit', featureShape: [4, 4, 2], ...small, patchSize: 2, heads: 2 } as const;
  const picture = { kind: 'image', shape: [3, 4, 4] } as const;
  expect(() => createNetwork({ ...config, conditions: { picture } })).toThrow(
    "conditions.picture: the image is [3, 4, 4], and the network's images are [4, 4, 2], [height, width, channels]",
  );
});
