/** What a sampler takes, and what it refuses: nothing that a device would silently make something else of. */
import {
  ArgumentError,
  type Backend,
  DisposedError,
  DTypeError,
  type HostArray,
  hostArray,
  mul,
  RandomKey,
  referenceBackend,
  ShapeError,
  cast,
} from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import {
  averageVelocity,
  createSampler,
  dormandPrince,
  euler,
  perRow,
  sampleGraph,
  uniformGrid,
} from '../src/index.js';
import { floats, formula, gaussian } from './helpers.js';

const key = RandomKey.fromSeed(3);

/** u = slope · label: one step from 1 to 0 takes it off the noise. */
const byClass = formula(
  [1],
  { slope: floats([10]) },
  ({ slope }, { z, label }) => (label ? perRow(cast(label, 'float32').mul(slope), z) : mul(z, 0)),
  { classCount: 3, takesGuidance: true },
);
const params = byClass.init(key);
const labels = (...values: number[]) => hostArray(values, { dtype: 'int32' });
const request = { params, noise: key.normal([2, 1]), solver: averageVelocity, times: [1, 0] };

describe('noise', () => {
  const still = formula([1], {}, (_, { z }) => mul(z, 0));
  const noise = key.normal([3, 1]);
  const from = { params: {}, noise, solver: euler };

  test.each([1, 2, 4, 0.5])(
    'is multiplied by the network’s scale %d where it is noise',
    async (noiseScale) => {
      await using sampler = createSampler(referenceBackend(), { ...still, noiseScale });
      const scaled = Array.from(noise.data, (x) => Math.fround(noiseScale * x));
      const { samples, trajectory } = await sampler.sample({ ...from, times: [1, 0.5, 0], trajectory: true });
      expect([...samples.data]).toEqual(scaled);
      expect([...trajectory![0].data]).toEqual(scaled);
      const adaptive = await sampler.sample({ ...from, solver: dormandPrince(), times: [1, 0] });
      expect([...adaptive.samples.data]).toEqual(scaled);
      // A point of the path is taken as it is, in both forms of a sampler.
      expect([...(await sampler.sample({ ...from, times: [0.5, 0] })).samples.data]).toEqual([...noise.data]);
      const { graph } = sampleGraph(
        { ...still, noiseScale },
        {},
        { rows: 3, solver: euler, times: [0.5, 0] },
      );
      expect([...interpret(graph, { 'values/noise': noise }).samples.data]).toEqual([...noise.data]);
      expect([...noise.data]).toEqual([...key.normal([3, 1]).data]);
    },
  );

  test('may be of float64, and is nothing else', async () => {
    await using sampler = createSampler(referenceBackend(), still);
    const { samples } = await sampler.sample({ ...from, noise: noise.to('float64'), times: [1, 0] });
    expect([...samples.data]).toEqual([...noise.data]);
    const sample = (given: unknown) => sampler.sample({ ...from, noise: given as HostArray, times: [1, 0] });
    await expect(sample(noise.to('int32'))).rejects.toThrow(DTypeError);
    await expect(sample(noise.data)).rejects.toThrow(
      'noise is a HostArray float32[count, 1], got a Float32Array of 3.',
    );
    await expect(sample(undefined)).rejects.toThrow('got undefined');
  });
});

describe('labels', () => {
  test('from 0 and below the number of classes are taken', async () => {
    await using sampler = createSampler(referenceBackend(), byClass);
    const { samples } = await sampler.sample({ ...request, label: labels(0, 2) });
    expect(samples.data[0] - request.noise.data[0]).toBeCloseTo(0, 6);
    expect(samples.data[1] - request.noise.data[1]).toBeCloseTo(-20, 5);
  });

  test.each<[string, unknown, new (m?: string) => Error, string]>([
    ['a negative one', labels(0, -1), ArgumentError, "label: row 1 has label -1, but the network's 3 classes are 0 to 2;"],
    ['the null class', labels(3, 0), ArgumentError, 'label: row 0 has label 3'],
    ['one far beyond', labels(0, 4000), ArgumentError, 'row 1 has label 4000'],
    ['too few', labels(0), ShapeError, 'label must be [2], one for each row, got [1].'],
    ['floats', hostArray([0, 1]), DTypeError, 'label is a HostArray int32[2], a class for each row; got a HostArray float32[2].'],
    ['a typed array', Int32Array.of(0, 1), DTypeError, 'got an Int32Array of 2'],
  ])('refuses %s', async (_, label, type, message) => {
    await using sampler = createSampler(referenceBackend(), byClass);
    const failing = sampler.sample({ ...request, label: label as HostArray });
    await expect(failing).rejects.toThrow(type);
    await expect(failing).rejects.toThrow(message);
  }); // prettier-ignore

  test.each([1, 2])('in a whole sampler’s graph the sample of none is NaN, %d numbers each', (width) => {
    const network = { ...byClass, featureShape: [width] };
    const rows = [0, 3, 2, -1, 4000];
    const { graph } = sampleGraph(network, params, {
      rows: 5,
      solver: averageVelocity,
      times: [1, 0],
      label: true,
    });
    const noise = key.normal([5, width]);
    const { samples } = interpret(graph, { 'params/slope': params.slope, 'values/noise': noise, 'conditions/label': labels(...rows) }); // prettier-ignore
    const expected = Array.from(noise.data, (x, i) => {
      const label = rows[Math.floor(i / width)];
      return label === 0 || label === 2 ? x - 10 * label : NaN;
    });
    expect([...samples.data]).toEqual(expected);
  });
});

test.each<[string, object, string]>([
  ['a misspelt field', { labels: labels(0, 1) }, 'sample has no option "labels"; it takes params,'],
  ['and says which was meant', { labels: labels(0, 1) }, 'Did you mean "label"?'],
  ['a field of guidance', { guidance: { omega: 2 }, label: labels(0, 1) }, 'sample: guidance has no option "omega"; it takes scale, start, end, drop.'],
  ['a field of the condition', { condition: { scale: 2 } }, 'sample: condition has no option "scale"'],
  ['no scale', { condition: {} }, 'condition.omega is a guidance scale above 0, and 1 for none; got undefined.'],
  ['a scale of 0', { condition: { omega: 0 } }, 'got 0.'],
  ['an infinite scale', { condition: { omega: Infinity } }, 'got Infinity.'],
  ['an interval of the condition that is none', { condition: { omega: 2, tMin: 0.6, tMax: 0.4 } }, 'condition needs 0 ≤ tMin ≤ tMax ≤ 1, got [0.6, 0.4].'],
  ['an interval of the condition beyond 1', { condition: { omega: 2, tMax: 1.5 } }, 'got [0, 1.5].'],
  ['a scale that is no number', { guidance: { scale: NaN }, label: labels(0, 1) }, 'guidance.scale is a finite number, got NaN.'],
  ['an interval that is none', { guidance: { scale: 2, start: 0.9, end: 0.1 }, label: labels(0, 1) }, 'guidance needs 0 ≤ start ≤ end ≤ 1, got [0.9, 0.1].'],
  ['guidance without labels', { guidance: { scale: 2 } }, 'it needs a network with classes, and labels.'],
  ['parameters that are no arrays', { params: { slope: Float32Array.of(1) } }, 'params: "slope" is a Float32Array of 1, neither a HostArray nor a device array.'],
])('refuses %s', async (_, change, message) => {
  await using sampler = createSampler(referenceBackend(), byClass);
  const failing = sampler.sample({ ...request, ...change } as never);
  await expect(failing).rejects.toThrow(ArgumentError);
  await expect(failing).rejects.toThrow(message);
}); // prettier-ignore

test('a sampler has one option', () => {
  expect(() => createSampler(referenceBackend(), byClass, { batch: 3 } as never)).toThrow(
    /Did you mean "batchSize"/,
  );
  expect(() => dormandPrince({ tolerance: 1 } as never)).toThrow(/no option "tolerance"/);
});

describe('what is asked for is taken at the call', () => {
  const mean = floats([1]);
  const variance = floats([0.25]);
  const asked = () => ({
    params: { mean: mean.clone(), variance: variance.clone() },
    noise: key.normal([5, 1]),
    solver: euler,
    times: [...uniformGrid(4)],
  });

  test('what is done with it afterwards does not show', async () => {
    await using sampler = createSampler(referenceBackend(), gaussian, { batchSize: 2 });
    const expected = await sampler.sample(asked());
    const given = asked();
    const sampling = sampler.sample(given);
    given.params.mean.data.fill(NaN);
    given.noise.data.fill(NaN);
    given.times.fill(0);
    expect(await sampling).toEqual(expected);
  });

  test('labels as well', async () => {
    await using sampler = createSampler(referenceBackend(), byClass, { batchSize: 1 });
    const label = labels(1, 2);
    const expected = await sampler.sample({ ...request, label });
    const sampling = sampler.sample({ ...request, label });
    label.data.fill(0);
    expect(await sampling).toEqual(expected);
  });

  test('calls may overlap', async () => {
    await using sampler = createSampler(referenceBackend(), gaussian, { batchSize: 2 });
    const others = { ...asked(), noise: key.fold('other').normal([3, 1]), solver: dormandPrince() };
    const alone = [await sampler.sample(asked()), await sampler.sample(others)];
    expect(await Promise.all([sampler.sample(asked()), sampler.sample(others)])).toEqual(alone);
  });

  test('lent arrays are read where they lie', async () => {
    await using sampler = createSampler(referenceBackend(), gaussian);
    expect(await sampler.sample({ ...asked(), borrow: true })).toEqual(await sampler.sample(asked()));
  });
});

test('after dispose() nothing is sampled, also when it comes meanwhile', async () => {
  const sampler = createSampler(referenceBackend(), byClass);
  const sampling = sampler.sample(request).catch((error: unknown) => error);
  await sampler.dispose();
  await sampler.dispose();
  await expect(sampler.sample(request)).rejects.toThrow(DisposedError);
  const result = await sampling;
  expect(result instanceof DisposedError || 'samples' in (result as object)).toBe(true);
});

test.each([1, 2, 3])('dispose() at compilation %d leaves no executable', async (at) => {
  const backend = referenceBackend();
  let [compiled, live] = [0, 0];
  let disposal: Promise<void> | undefined;
  const counting: Backend = {
    ...backend,
    compile: async (graph) => {
      live++;
      const executable = await backend.compile(graph);
      if (++compiled === at) disposal = sampler.dispose();
      return { ...executable, dispose: () => executable.dispose().then(() => void live--) };
    },
  };
  const sampler = createSampler(counting, byClass);
  const adaptive = { ...request, solver: dormandPrince() };
  await expect(sampler.sample(adaptive)).rejects.toThrow(DisposedError);
  await disposal;
  expect([compiled, live]).toEqual([at, 0]);
});
