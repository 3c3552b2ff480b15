import {
  hostArray,
  jvp,
  RandomKey,
  sizeOf,
  spec,
  sub,
  trace,
  treeLeaves,
  valueAndGrad,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import {
  createNetwork,
  flowMatching,
  meanFlow,
  mlp,
  type MlpConfig,
  type NetworkConfig,
  type ResidualMlpConfig,
} from '../../src/index.js';
import { evaluate, relativeError } from '../helpers.js';
import { readSafetensors } from '../safetensors.js';

const key = RandomKey.fromSeed(4);

describe('the PyTorch peer', () => {
  const data = readSafetensors('torch-mlp');
  const network = mlp({
    kind: 'mlp',
    featureShape: [2],
    width: 12,
    depth: 3,
    embedding: { kind: 'sinusoidal', dimension: 8, scale: 10 },
  });
  const layer = (name: string, group = 'params') => ({
    kernel: data[`${group}/${name}/kernel`] as HostArray<'float32'>,
    bias: data[`${group}/${name}/bias`] as HostArray<'float32'>,
  });
  const params = { condition: {}, layers: [0, 1, 2].map((i) => layer(`layers/${i}`)), out: layer('out') };
  const draws = {
    noise: data['in/e'] as HostArray<'float32'>,
    t: data['in/t'] as HostArray<'float32'>,
    r: data['in/r'] as HostArray<'float32'>,
  };
  const inputs = { params, batch: { x: data['in/x'] as HostArray<'float32'> }, draws };

  test('u and du/dt along (ε − x, 0, 1)', () => {
    const { u, dudt } = evaluate(({ params, batch: { x }, draws: { noise, t, r } }) => {
      const time = t.reshape([8, 1]);
      const z = x.add(time.mul(noise.sub(x)));
      const f = (z: Tensor, r: Tensor, t: Tensor) => network.apply(params, { z, t, h: sub(t, r) }).u;
      const [u, dudt] = jvp(f, [z, r, t], [sub(noise, x), 0, 1]);
      return { u, dudt };
    }, inputs);
    expect(relativeError(u, data['out/u'])).toBeLessThan(1e-12);
    expect(relativeError(dudt, data['out/dudt'])).toBeLessThan(1e-12);
  });

  test.each([
    ['out/loss', 'grad', meanFlow({ kind: 'meanflow', weight: { power: 1, epsilon: 1e-3 } })],
    ['out/fm_loss', 'fm_grad', flowMatching()],
  ])('%s and every gradient', (name, group, objective) => {
    const results = evaluate(({ params, batch, draws }) => {
      const [loss, gradient] = valueAndGrad(
        (p: typeof params) => objective.loss({ network, params: p, batch, draws, references: {} }).loss,
      )(params);
      const named = gradient.layers.flatMap(({ kernel, bias }, i) => [
        [`layers/${i}/kernel`, kernel] as const,
        [`layers/${i}/bias`, bias] as const,
      ]);
      const { kernel, bias } = gradient.out;
      return {
        loss: loss.reshape([1]),
        ...Object.fromEntries(named),
        'out/kernel': kernel,
        'out/bias': bias,
      };
    }, inputs);
    expect(relativeError(results.loss, data[name])).toBeLessThan(1e-12);
    for (const path of Object.keys(results).filter((path) => path !== 'loss')) {
      expect(relativeError(results[path], data[`${group}/${path}`])).toBeLessThan(1e-11);
    }
  });
});

test('the benchmark workload has the parameters of its peers', () => {
  const network = mlp({
    kind: 'mlp',
    featureShape: [2],
    width: 256,
    depth: 4,
    embedding: { kind: 'sinusoidal', dimension: 64, scale: 10, maxPeriod: 10_000 },
  });
  expect(network.parameterCount).toBe(130 * 256 + 256 + 3 * (256 * 256 + 256) + 256 * 2 + 2);
  const { layers, out } = network.init(key);
  expect(layers.map(({ kernel }) => kernel.shape)).toEqual([[130, 256], [256, 256], [256, 256], [256, 256]]); // prettier-ignore
  expect(out.kernel.shape).toEqual([256, 2]);
});

const base: MlpConfig = { kind: 'mlp', featureShape: [2], width: 8, depth: 3 };
const residual = { ...base, kind: 'residual-mlp' } as const;
const conditioned = { classCount: 3, guidance: true } as const;
const configs: [string, MlpConfig | ResidualMlpConfig][] = [
  ['plain', base],
  ['plain, features added', { ...base, join: 'add', activation: 'gelu' }],
  ['plain, everything', { ...base, ...conditioned, velocityHead: { depth: 1 }, classWidth: 5 }],
  ['plain, everything added', { ...base, ...conditioned, join: 'add', velocityHead: { depth: 3 } }],
  [
    'Fourier features of t and r',
    { ...base, embedding: { kind: 'fourier', frequencies: 4 }, times: 't-and-r' },
  ],
  [
    'Fourier features of z',
    { ...base, inputFeatures: { kind: 'fourier', frequencies: 3 }, velocityHead: { depth: 1 } },
  ],
  ['h alone', { ...base, times: 'h', activation: 'tanh', initialisation: 'xavier' }],
  ['t alone', { ...base, times: 't', activation: 'relu' }],
  ['residual', { ...residual, featureShape: [2, 2, 1] }],
  ['residual, everything', { ...residual, ...conditioned, velocityHead: { depth: 2 }, expansion: 2 }],
  [
    'residual, additive',
    {
      ...residual,
      ...conditioned,
      conditioning: 'additive',
      normalisation: 'rms-norm',
      join: 'concatenate',
      velocityHead: { depth: 0 },
    },
  ],
  [
    'residual, no norm',
    { ...residual, normalisation: 'none', initialisation: 'pytorch', activation: 'gelu-tanh' },
  ],
];

describe.each(configs)('%s', (_, config) => {
  const network = createNetwork({ ...config, zeroOutput: false });
  const batch = 4;
  const inputs = {
    params: network.init(key),
    z: key.fold('z').normal([batch, ...config.featureShape]),
    t: hostArray([0.9, 0.7, 0.5, 0.8]),
    h: hostArray([0.6, 0.7, 0, 0.1]),
    ...(network.classCount ? { label: hostArray([0, 1, 2, 3], { dtype: 'int32' }) } : {}),
    ...(network.takesGuidance
      ? {
          omega: hostArray([1, 2, 3, 8]),
          tMin: hostArray([0, 0.2, 0.1, 0]),
          tMax: hostArray([1, 0.9, 0.6, 1]),
        }
      : {}),
  };
  const run = (change: object = {}): Record<string, HostArray> =>
    evaluate(
      (given) => {
        const { u, v } = network.apply(given.params as never, given as never);
        return { u, ...(v ? { v } : {}) };
      },
      { ...inputs, ...change },
    );

  test('counts its parameters without making them', () => {
    const sizes = treeLeaves<HostArray>(inputs.params).map(({ size }) => size);
    expect(network.parameterCount).toBe(sizes.reduce((a, b) => a + b, 0));
  });

  test('starts from its key alone, and from its configuration as JSON', () => {
    const again = createNetwork(
      JSON.parse(JSON.stringify({ ...config, zeroOutput: false })) as NetworkConfig,
    );
    expect(again.init(key)).toEqual(inputs.params);
    expect(network.init(key.fold(1))).not.toEqual(inputs.params);
  });

  test('predicts velocities of the shape of z, finite and not all zero', () => {
    const { u, v } = run();
    expect(u.shape).toEqual(inputs.z.shape);
    expect(v !== undefined).toBe(network.hasVelocityHead);
    for (const output of [u, ...(v ? [v] : [])]) {
      expect(output.shape).toEqual(inputs.z.shape);
      expect(output.data.every((value) => Number.isFinite(value))).toBe(true);
      expect(output.data.some((value) => value !== 0)).toBe(true);
    }
  });

  test('starts at zero when asked to', () => {
    const zero = createNetwork({ ...config, zeroOutput: true });
    const { u } = evaluate((given) => ({ u: zero.apply(given.params as never, given as never).u }), {
      ...inputs,
      params: zero.init(key),
    });
    expect(u.data.every((value) => value === 0)).toBe(true);
  });

  test('looks at the conditions that it says it takes, row by row', () => {
    const warm = treeLeaves<HostArray>(inputs.params);
    // A gate that starts at zero hides the conditions, so all parameters are drawn afresh.
    warm.forEach(({ data, shape }, i) =>
      data.set(
        key
          .fold(i)
          .normal([sizeOf(shape)])
          .data.map((x) => x / 3),
      ),
    );
    const before = run();
    const times = config.times ?? 't-and-h';
    const changes: Record<string, object> = {
      ...(times === 'h' ? {} : { t: hostArray([0.95, 0.7, 0.5, 0.8]) }),
      ...(times === 't' ? {} : { h: hostArray([0.5, 0.7, 0, 0.1]) }),
      ...(network.classCount ? { label: hostArray([1, 1, 2, 3], { dtype: 'int32' }) } : {}),
      ...(network.takesGuidance
        ? {
            omega: hostArray([1.5, 2, 3, 8]),
            tMin: hostArray([0.1, 0.2, 0.1, 0]),
            tMax: hostArray([0.9, 0.9, 0.6, 1]),
          }
        : {}),
    };
    for (const [name, value] of Object.entries(changes)) {
      const after = run({ [name]: value });
      for (const output of network.hasVelocityHead ? ['u', 'v'] : ['u']) {
        const width = before.u.size / batch;
        const changed = Array.from(after[output].data, (x, i) => x !== before[output].data[i]);
        expect({
          name,
          first: changed.slice(0, width).some(Boolean),
          rest: changed.slice(width).some(Boolean),
        }).toEqual({
          name,
          first: true,
          rest: false,
        });
      }
    }
  });
});

test('without labels and guidance conditions, a network assumes the null class and none', () => {
  const network = mlp({ ...base, ...conditioned });
  const given = {
    params: network.init(key),
    z: key.normal([2, 2]),
    t: hostArray([0.5, 1]),
    h: hostArray([0.1, 1]),
  };
  const nothing = {
    label: hostArray([3, 3], { dtype: 'int32' }),
    omega: hostArray([1, 1]),
    tMin: hostArray([0, 0]),
    tMax: hostArray([1, 1]),
  };
  const run = (inputs: typeof given) =>
    evaluate((tree) => ({ u: network.apply(tree.params, tree).u }), inputs).u.data;
  expect(run(given)).toEqual(run({ ...given, ...nothing }));
});

test('the initial spread of each kind', () => {
  const spread = (data: Float32Array) => {
    const sorted = data.slice().sort();
    return [sorted[0], sorted[sorted.length - 1]];
  };
  const wide = { ...base, width: 400, depth: 2 } as const;
  const pytorch = mlp(wide).init(key).layers[1];
  for (const data of [pytorch.kernel.data, pytorch.bias!.data]) {
    expect(spread(data)[0]).toBeGreaterThanOrEqual(-0.05);
    expect(spread(data)[1]).toBeLessThanOrEqual(0.05);
    expect(spread(data)[1]).toBeGreaterThan(0.0495);
  }
  const { kernel, bias } = mlp({ ...wide, initialisation: 'xavier' }).init(key).layers[1];
  const limit = Math.sqrt(6 / 800);
  expect(spread(kernel.data)[1]).toBeLessThanOrEqual(limit);
  expect(spread(kernel.data)[1]).toBeGreaterThan(0.999 * limit);
  expect(bias!.data.every((value) => value === 0)).toBe(true);
});

describe('errors', () => {
  test.each<[string, Partial<MlpConfig>, RegExp]>([
    ['width', { width: 0 }, /width: expected more than 0, got 0/],
    ['depth', { depth: 1.5 }, /depth: expected a whole number, got 1\.5/],
    ['shape', { featureShape: [] }, /featureShape: expected at least 1 of them/],
    ['classes', { classCount: 0 }, /classCount.*got 0/],
    ['head', { velocityHead: { depth: 4 } }, /velocityHead\.depth.*0 to 3; got 4/],
    [
      'odd features',
      { embedding: { kind: 'sinusoidal', dimension: 7 } },
      /embedding.dimension: expected a multiple of 2, got 7/,
    ],
    ['no frequencies', { embedding: { kind: 'fourier', frequencies: 0 } }, /frequencies.*got 0/],
  ])('%s', (_, change, message) => {
    expect(() => mlp({ ...base, ...change })).toThrow(message);
    expect(() => createNetwork({ ...residual, ...change, kind: 'residual-mlp' } as NetworkConfig)).toThrow(
      message,
    );
  });

  test('labels and guidance conditions that the network does not take', () => {
    const network = mlp(base);
    const call = (extra: object) => () =>
      trace(({ z, t }) => network.apply(network.init(key) as never, { z, t, h: t, ...extra }).u, {
        z: spec([2, 2]),
        t: spec([2]),
      });
    expect(call({ label: 0 })).toThrow(/without classes; set classCount/);
    expect(call({ omega: 0 })).toThrow(/set guidance: true/);
  });
});
