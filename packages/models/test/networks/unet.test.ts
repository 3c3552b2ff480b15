/** The plain U-Net: what its parameters are, that every row is computed for itself, and what reaches what. */
import { hostArray, HostArray, jvp, RandomKey, sub, treeLeaves, type Tensor } from '@meanflow/core'; // prettier-ignore
import { unet, type ParameterSpec, type UNetConfig } from '../../src/index.js';
import { evaluate, relativeError } from '../helpers.js';

const key = RandomKey.fromSeed(8);
const small: UNetConfig = {
  kind: 'unet',
  featureShape: [8, 8, 3],
  channels: 4,
  channelMultipliers: [1, 2, 2],
  attentionLevels: [2],
  classCount: 4,
};

/** Parameters none of which hides what is before it. */
function lively<P>(params: P): P {
  for (const leaf of treeLeaves<HostArray>(params as never)) {
    const noise = key.fold(leaf.shape.join()).normal(leaf.shape).data;
    leaf.data.forEach((_, i) => (leaf.data[i] += 0.2 * noise[i]!));
  }
  return params;
}

function values(
  config: UNetConfig,
  rows: readonly number[] = [0, 1, 2],
  label: readonly number[] = [0, 3, 4],
) {
  const network = unet(config);
  const all = (name: string) => key.fold(name).normal([3, ...config.featureShape]);
  const chosen = (x: HostArray<'float32'>) => hostArray(rows.flatMap((row) => [...x.rows(row, row + 1).data]), { shape: [rows.length, ...x.shape.slice(1)] }); // prettier-ignore
  const inputs = {
    params: lively(network.init(key)),
    z: chosen(all('z')),
    v: chosen(all('v')),
    t: chosen(hostArray([0.9, 0.7, 0.4])),
    r: chosen(hostArray([0.2, 0.7, 0])),
    label: hostArray(rows.map((row) => label[row]!), { dtype: 'int32' }),
  }; // prettier-ignore
  return evaluate(({ params, z, v, t, r, label }) => {
    const f = (z: Tensor, t: Tensor, r: Tensor) =>
      network.apply(params, { z, t, h: sub(t, r), ...(config.classCount !== undefined && { label }) }).u;
    const [u, dudt] = jvp(f, [z, t, r], [v, 1, 0]);
    return { u, dudt };
  }, inputs);
}

test('its parameters: by resolution, with attention where it is asked for and in the middle', () => {
  const { specs, parameterCount } = unet(small);
  const { down, middle, up } = specs as unknown as Record<string, Record<string, ParameterSpec>[][]>;
  expect(down!.map((blocks) => blocks.map(({ attention }) => attention !== undefined))).toEqual([[false], [false], [true]]); // prettier-ignore
  expect((middle as unknown as Record<string, ParameterSpec>[]).map(({ attention }) => attention !== undefined)).toEqual([true, false]); // prettier-ignore
  expect(up!.map((blocks) => blocks.map(({ attention }) => attention !== undefined))).toEqual([[false], [false], [true]]); // prettier-ignore
  expect(treeLeaves(unet(small).init(key)).reduce((sum, { size }) => sum + size, 0)).toBe(parameterCount);
  expect(unet({ ...small, blocks: 2 }).parameterCount).toBeGreaterThan(parameterCount);
});

test('it begins at u = 0', () => {
  const network = unet(small);
  const { u } = evaluate(
    ({ params, z, t }) => ({ u: network.apply(params, { z, t, h: t }).u }),
    { params: network.init(key), z: key.normal([2, 8, 8, 3]), t: hostArray([0.5, 1]) },
  ) as { u: HostArray }; // prettier-ignore
  expect(u.data.every((x: number) => x === 0)).toBe(true);
});

test.each([
  ['halved twice', small],
  ['sides that cannot be halved so often', { ...small, featureShape: [7, 10, 1] }],
  ['one resolution', { ...small, channelMultipliers: [2], attentionLevels: [] }],
  ['several blocks, without classes', { ...small, blocks: 2, classCount: undefined }],
] as const)('every row for itself, whatever the others are: %s', (_, config: UNetConfig) => {
  const { u, dudt } = values(config);
  expect(u.shape).toEqual([3, ...config.featureShape]);
  for (const row of [0, 1, 2]) {
    const alone = values(config, [row]);
    expect(relativeError(alone.u, u.rows(row, row + 1))).toBeLessThan(1e-5);
    expect(relativeError(alone.dudt, dudt.rows(row, row + 1))).toBeLessThan(1e-5);
  }
});

test('the class of a row changes that row, at every pixel', () => {
  const [first, second] = [values(small), values(small, [0, 1, 2], [1, 3, 4])];
  expect(relativeError(second.u.rows(1, 3), first.u.rows(1, 3))).toBe(0);
  const [before, after] = [first.u.rows(0, 1).data, second.u.rows(0, 1).data];
  expect(before.every((x: number, i: number) => x !== after[i])).toBe(true);
});

test('a pixel reaches all others, through the resolutions', () => {
  const config = { ...small, attentionLevels: [], classCount: undefined };
  const network = unet(config);
  const params = lively(network.init(key));
  const z = key.fold('z').normal([1, 8, 8, 3]);
  const other = new HostArray('float32', z.shape, z.data.map((x, i) => (i === 0 ? x + 1 : x))); // prettier-ignore
  const run = (x: HostArray<'float32'>) =>
    evaluate(({ params: p, z: given, t }) => ({ u: network.apply(p, { z: given, t, h: t }).u }), { params, z: x, t: hostArray([0.5]) }) as { u: HostArray }; // prettier-ignore
  const [before, after] = [run(z).u.data, run(other).u.data];
  const changed = before.filter((x: number, i: number) => x !== after[i]).length;
  expect(changed).toBe(before.length);
});

test('what is refused', () => {
  expect(() => unet({ ...small, channelMultipliers: [] })).toThrow(/channelMultipliers/);
  expect(() => unet({ ...small, width: 8 } as never)).toThrow(/no field "width"/);
});
