import {
  full,
  HostArray,
  RandomKey,
  treeFlatten,
  treePaths,
  type Symbolic,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import {
  adoptionText,
  adoptParameters,
  createNetwork,
  type AnyNetwork,
  type NetworkConfig,
  type ParameterTree,
} from '../../src/index.js';
import { evaluate } from '../helpers.js';

const key = RandomKey.fromSeed(7);
const fourier = { kind: 'fourier', frequencies: 1 } as const;
const image = { featureShape: [4, 4, 1], patchSize: 2, width: 8, depth: 3, heads: 2 } as const;
const tokens = { label: 2, omega: 1, interval: 1, time: 1 };

const mlp = { kind: 'mlp', featureShape: [3], width: 8, depth: 3, embedding: fourier } as const;
const residual = { kind: 'residual-mlp', featureShape: [3], width: 8, depth: 2, embedding: fourier } as const;
const dit = { kind: 'dit', ...image } as const;
const imf = { kind: 'imf-dit', ...image, headDepth: 1, tokens } as const;
const pmf = { kind: 'pmf-dit', ...image, headDepth: 1, tokens, bottleneck: 4 } as const;
const unet = { kind: 'unet', featureShape: [4, 4, 1], channels: 4, channelMultipliers: [1, 2] } as const;
const songUNet = {
  kind: 'song-unet',
  featureShape: [1, 4, 4],
  channels: 4,
  channelMultipliers: [1],
  blocks: 1,
  attentionResolutions: [],
} as const;

/** Parameters none of which is zero, so that everything that a network computes shows. */
function randomParameters(network: AnyNetwork): ParameterTree {
  const { leaves, structure } = treeFlatten<HostArray>(network.init(key) as Tree<HostArray>);
  const random = leaves.map(({ shape }, i) => key.fold('random').fold(i).uniform(shape, -0.5, 0.5));
  return structure.unflatten(random) as ParameterTree;
}

interface Inputs {
  readonly h?: number;
  readonly label?: readonly number[];
  readonly omega?: number;
  /** Conditions beside the label. */
  readonly known?: HostArray;
  readonly numbers?: HostArray;
}

/** What a network's heads compute for three rows at t = 0.7. */
function outputs(network: AnyNetwork, params: ParameterTree, inputs: Inputs = {}): Record<string, number[]> {
  const { h = 0, omega, label, known, numbers } = inputs;
  const conditions = { ...(known && { known }), ...(numbers && { numbers }) };
  const z = key.fold('z').normal([3, ...network.featureShape]);
  const given = {
    params,
    z,
    conditions,
    ...(label && { label: new HostArray('int32', [3], Int32Array.from(label)) }),
  };
  const result = evaluate((at: Symbolic<typeof given>): Record<string, Tensor> => {
    const { u, v } = network.apply(at.params, {
      z: at.z,
      t: full([3], 0.7),
      h: full([3], h),
      ...(Object.keys(conditions).length > 0 && { conditions: at.conditions }),
      ...(at.label && { label: at.label }),
      ...(omega !== undefined && { omega: full([3], omega) }),
    });
    return v === undefined ? { u } : { u, v };
  }, given);
  return Object.fromEntries(Object.entries(result).map(([name, { data }]) => [name, Array.from(data)]));
}

function near(actual: readonly number[] | undefined, expected: readonly number[] | undefined): void {
  expect(actual).toHaveLength(expected!.length);
  expected!.forEach((value, i) => expect(actual![i]).toBeCloseTo(value, 12));
}

/** A network with parameters, another one that continues it, and what was said of it. */
function continued(
  before: NetworkConfig,
  after: NetworkConfig,
  names: { before?: string[]; after?: string[] } = {},
) {
  const [from, to] = [createNetwork(before), createNetwork(after)];
  const given = randomParameters(from);
  const { params, report } = adoptParameters(
    to,
    { config: before, params: given, classNames: names.before },
    { key, classNames: names.after },
  );
  const byPath = (tree: ParameterTree) =>
    new Map(treePaths<HostArray>(tree as Tree<HostArray>).map(({ path, leaf }) => [path, leaf]));
  return {
    from,
    to,
    given,
    params,
    report,
    before: byPath(given),
    after: byPath(params),
    text: adoptionText(report),
  };
}

describe('the same network', () => {
  test.each([mlp, residual, dit, unet, imf, pmf, songUNet].map((config) => [config.kind, config]))(
    '%s: every parameter bit for bit, in memory of its own',
    (_, config) => {
      const withAll =
        config.kind === 'song-unet' || config.kind === 'unet'
          ? { ...config, classCount: 3 }
          : { ...config, classCount: 3, velocityHead: { depth: 1 } };
      const { before, after, report, text } = continued(withAll, withAll);
      expect([...after.keys()]).toEqual([...before.keys()]);
      for (const [path, { data }] of after) {
        expect(data).toEqual(before.get(path)!.data);
        expect(data.buffer).not.toBe(before.get(path)!.data.buffer);
      }
      expect(report.left).toEqual([]);
      expect(text).toBe(`All ${after.size} parameters are taken as they are.`);
    },
  );
});

/** Networks whose conditions can be added to without a change. */
const withHeads = [
  ['mlp', mlp],
  ['mlp, summed', { ...mlp, join: 'add' }],
  ['residual-mlp', residual],
  ['residual-mlp, joined', { ...residual, join: 'concatenate' }],
  ['residual-mlp, additive', { ...residual, conditioning: 'additive' }],
  ['dit', dit],
] as const satisfies readonly (readonly [string, NetworkConfig])[];
const extensible = [...withHeads, ['unet', unet]] as const;

describe('what is new changes nothing at first', () => {
  test.each(extensible)('%s: an interval, though it was learnt without', (_, config) => {
    const { from, to, given, params, after } = continued(
      { ...config, times: 't' },
      { ...config, times: 't-and-h' },
    );
    const { u } = outputs(from, given);
    for (const h of [0, 0.5]) near(outputs(to, params, { h }).u, u);
    // It can be learnt: at most one of the two maps that it goes through is zero.
    const isZero = ({ data }: HostArray): boolean => data.every((value: number) => value === 0);
    const zero = [...after].filter(([path, array]) => path.endsWith('kernel') && isZero(array));
    expect(zero.length).toBeLessThan(2);
  });

  test('mlp: Fourier features of z', () => {
    const inputFeatures = { kind: 'fourier', frequencies: 2 } as const;
    const { from, to, given, params, report } = continued(mlp, { ...mlp, inputFeatures });
    near(outputs(to, params, { h: 0.3 }).u, outputs(from, given, { h: 0.3 }).u);
    const byRows = report.parameters.filter(({ origin }) => origin.how === 'by rows');
    expect(byRows.map(({ origin }) => origin)).toMatchObject([
      { taken: expect.arrayContaining(['z', 't', 'h']), made: ['waves'] },
    ]);
  });

  test.each(extensible)('%s: guidance', (_, config) => {
    const { from, to, given, params } = continued(config, { ...config, guidance: true });
    near(outputs(to, params, { h: 0.3, omega: 4 }).u, outputs(from, given, { h: 0.3 }).u);
  });

  test.each([...extensible, ['song-unet', songUNet]] as const)('%s: classes', (_, config) => {
    const { from, to, given, params } = continued(config, { ...config, classCount: 4 });
    const { u } = outputs(from, given, { h: 0.3 });
    near(outputs(to, params, { h: 0.3, label: [0, 3, 4] }).u, u);
  });

  test.each([...withHeads, ['imf-dit', imf], ['pmf-dit', pmf]] as const)(
    '%s: a velocity head is a copy of what leads to u',
    (_, config) => {
      const { to, params, from, given, report } = continued(config, {
        ...config,
        velocityHead: { depth: 1 },
      });
      const { u, v } = outputs(to, params, { h: 0.3 });
      near(u, outputs(from, given, { h: 0.3 }).u);
      near(v, u);
      expect(report.parameters.filter(({ origin }) => origin.how === 'made')).toEqual([]);
    },
  );

  test.each([
    ['mlp', mlp, [1, 3, 1]],
    ['residual-mlp', residual, [1, 3, 1]],
    ['dit', dit, [4, 4, 1]],
    ['imf-dit', imf, [4, 4, 1]],
    ['pmf-dit', pmf, [4, 4, 1]],
    ['unet', unet, [4, 4, 1]],
    ['song-unet', songUNet, [1, 4, 4]],
  ] as const)('%s: an image beside z', (_, config, shape) => {
    const conditions = { known: { kind: 'image', shape: [...shape], optional: true } } as const;
    const { from, to, given, params, report } = continued(config, { ...config, conditions });
    const { u } = outputs(from, given);
    near(outputs(to, params, { known: key.fold('known').normal([3, ...shape]) }).u, u);
    const byRows = report.parameters.filter(({ origin }) => origin.how === 'by rows');
    expect(byRows.map(({ origin }) => origin)).toMatchObject([
      { taken: expect.arrayContaining(['z']), made: ['beside'] },
    ]);
  });

  test.each([...extensible, ['song-unet', songUNet]] as const)('%s: a vector of numbers', (_, config) => {
    const conditions = { numbers: { kind: 'vector', shape: [2] } } as const;
    const { from, to, given, params } = continued(config, { ...config, conditions });
    near(outputs(to, params, { numbers: key.fold('numbers').normal([3, 2]) }).u, outputs(from, given).u);
  });

  test('song-unet: augmentation labels', () => {
    const { after } = continued(songUNet, { ...songUNet, augmentWidth: 9 });
    expect(after.get('condition/augment/kernel')!.data.every((value: number) => value === 0)).toBe(true);
  });
});

describe('class tables', () => {
  const rowsOf = ({ shape, data }: HostArray): number[][] => {
    const width = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, i) =>
      Array.from(data.subarray(i * width, (i + 1) * width), Number),
    );
  };
  const names = { before: ['cat', 'dog', 'owl'], after: ['owl', 'ant', 'cat', 'bee'] };

  test.each([
    ['residual-mlp', residual, 'condition/label/table'],
    ['dit', dit, 'condition/label/table'],
    ['imf-dit', imf, 'conditions/label/table'],
  ] as const)('%s: rows by the names of classes, the null class last', (_, config, path) => {
    const { before, after, report, from, to, given, params, text } = continued(
      { ...config, classCount: 3 },
      { ...config, classCount: 4 },
      names,
    );
    const [old, now] = [rowsOf(before.get(path)!), rowsOf(after.get(path)!)];
    expect([now[0], now[2], now[4]]).toEqual([old[2], old[0], old[3]]);
    expect(report.parameters.find((each) => each.path === path)!.origin).toMatchObject({
      how: 'by rows',
      taken: ['class owl', 'class cat', 'no class'],
      made: ['class ant', 'class bee'],
      left: ['class dog'],
    });
    near(outputs(to, params, { label: [0, 2, 4] }).u, outputs(from, given, { label: [2, 0, 3] }).u);
    expect(text).toContain(`By rows: ${path}: taken class owl, class cat, no class; new`);
    expect(text).toContain('left over class dog.');
  });

  test.each([{}, { after: ['a', 'b'] }, { before: ['a', 'b', 'c'] }])(
    'by numbers unless both know names: %j',
    (names) => {
      const { before, after } = continued({ ...dit, classCount: 3 }, { ...dit, classCount: 2 }, names);
      const old = rowsOf(before.get('condition/label/table')!);
      expect(rowsOf(after.get('condition/label/table')!)).toEqual([old[0], old[1], old[3]]);
    },
  );

  test('the same classes in another order', () => {
    const two = { ...dit, classCount: 2 };
    const { before, after } = continued(two, two, { before: ['a', 'b'], after: ['b', 'a'] });
    const [old, now] = [before, after].map((each) => rowsOf(each.get('condition/label/table')!));
    expect(now).toEqual([old![1], old![0], old![2]]);
  });

  test('a network without classes leaves the table over', () => {
    const { report, text } = continued({ ...dit, classCount: 2 }, dit);
    expect(report.left).toEqual(['condition/label/table']);
    expect(text).toContain('Left over: condition/label/table.');
  });
});

describe('transformers with conditions in the sequence', () => {
  test('the blocks of u are the same, wherever its head begins', () => {
    const { from, to, given, params } = continued(imf, { ...imf, headDepth: 2 });
    near(outputs(to, params).u, outputs(from, given).u);
  });

  test('positions go with their tokens', () => {
    const { before, after, report } = continued(pmf, { ...pmf, guidance: false, classCount: 2 });
    const [old, now] = [before, after].map((each) => each.get('positions')!);
    // omega, tMin, tMax, h, four patches; then label twice, h, four patches.
    expect(now!.shape).toEqual([7, 8]);
    expect(Array.from(now!.data.subarray(2 * 8))).toEqual(Array.from(old!.data.subarray(3 * 8)));
    expect(report.parameters.find(({ path }) => path === 'positions')!.origin).toMatchObject({
      taken: ['h', 'patches'],
      made: ['label'],
      left: ['omega', 'tMin', 'tMax'],
      values: 'initial',
    });
  });

  test('a head of another depth than that of u is new, but for its output', () => {
    const { report } = continued(imf, { ...imf, velocityHead: { depth: 2 } });
    const blocks = report.parameters.filter(({ path }) => path.startsWith('velocityHead/blocks/'));
    expect(new Set(blocks.map(({ origin }) => origin.how))).toEqual(new Set(['made']));
    expect(report.parameters.find(({ path }) => path === 'velocityHead/linear/kernel')!.origin.how).toBe(
      'copied',
    );
  });
});

describe('what does not fit', () => {
  test('other data: the first and the last layer are new, with the shapes that there were', () => {
    const { report, text, to, after } = continued(residual, { ...residual, featureShape: [5] });
    expect(
      report.parameters.flatMap(({ path, origin }) => (origin.how === 'made' ? [[path, origin.given]] : [])),
    ).toEqual([
      ['input/kernel', [3, 8]],
      ['out/linear/bias', [3]],
      ['out/linear/kernel', [8, 3]],
    ]);
    expect(text).toContain(
      'New: input/kernel (was [3, 8]), out/linear/bias (was [3]), out/linear/kernel (was [8, 3]).',
    );
    const fresh = treePaths<HostArray>(to.init(key) as Tree<HostArray>).find(
      ({ path }) => path === 'input/kernel',
    )!;
    expect(after.get('input/kernel')!.data).toEqual(fresh.leaf.data);
  });

  test('settings that change what parameters mean are told', () => {
    const { report, text } = continued(dit, { ...dit, heads: 4 });
    expect(report.settings).toEqual([{ name: 'heads', given: 2, now: 4 }]);
    expect(text).toContain('Learnt with other settings: heads 2 (now 4).');
  });

  test('another kind of network', () => {
    expect(() => continued(mlp, residual)).toThrow(
      'The parameters are those of a network of kind "mlp", and this one is of kind "residual-mlp".',
    );
  });

  test('nothing at all', () => {
    expect(() =>
      continued(mlp, {
        ...mlp,
        featureShape: [5],
        width: 16,
        times: 'h',
        embedding: { kind: 'fourier', frequencies: 2 },
      }),
    ).toThrow('None of the parameters fits the network');
  });
});
