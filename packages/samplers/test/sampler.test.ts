import {
  add,
  cast,
  compile,
  concat,
  gather,
  HostArray,
  hostArray,
  matmul,
  mul,
  RandomKey,
  referenceBackend,
  DisposedError,
  ShapeError,
  spec,
  trace,
  type Backend,
  type DeviceArray,
  type Graph,
  type Tensor,
} from '@meanflow/core';
import { interpret, prepare } from '@meanflow/core/backend';
import {
  averageVelocity,
  createSampler,
  euler,
  heun,
  perRow,
  createDecoder,
  dormandPrince,
  sampleGraph,
  uniformGrid,
  velocityField,
  type DecoderOptions,
  type FixedStepSolver,
  type SampleChunk,
  type SampleDecoder,
  type Solver,
} from '../src/index.js';
import { floats, formula, gaussian, maxDifference } from './helpers.js';

const key = RandomKey.fromSeed(3);
const params = gaussian.init(key);

/** u = slope · label + t − h + ω + 10 tMin + 100 tMax, to see every input arrive. */
const affine = formula(
  [1],
  { slope: floats([2]) },
  ({ slope }, { z, t, h, label, omega, tMin, tMax }) => {
    const terms = [t, mul(h, -1), ...(label ? [cast(label, 'float32').mul(slope)] : [])];
    const guidance = [omega, tMin && mul(tMin, 10), tMax && mul(tMax, 100)].flatMap((x) => x ?? []);
    return perRow(
      [...terms, ...guidance].reduce((total, term) => add(total, term)),
      z,
    );
  },
  { classCount: 3, takesGuidance: true },
);

/** A backend that counts what is compiled and run, and knows the arrays that nobody disposed of. */
interface CountingBackend extends Backend {
  readonly compiled: string[];
  readonly live: Set<DeviceArray>;
  runs: number;
  onRun?: (run: number) => void;
}

function counting(backend: Backend): CountingBackend {
  const counted: CountingBackend = {
    ...backend,
    compiled: [],
    live: new Set(),
    runs: 0,
    async compile(graph, options) {
      counted.compiled.push(graph.name);
      const executable = await backend.compile(graph, options);
      return {
        ...executable,
        async run(inputs, runOptions) {
          counted.runs++;
          counted.onRun?.(counted.runs);
          const results = await executable.run(inputs, runOptions);
          for (const state of Object.keys(options?.state ?? {}))
            counted.live.delete(inputs[state] as DeviceArray);
          for (const array of Object.values(results)) {
            counted.live.add(array);
            const dispose = array.dispose.bind(array);
            array.dispose = () => {
              counted.live.delete(array);
              dispose();
            };
          }
          return results;
        },
      };
    },
  };
  return counted;
}

test('chunks with a remainder give what one batch gives', async () => {
  const noise = key.normal([7, 1]);
  const request = { params, noise, solver: heun, times: uniformGrid(3), trajectory: true };
  const backend = counting(referenceBackend());
  await using whole = createSampler(referenceBackend(), gaussian);
  await using chunked = createSampler(backend, gaussian, { batchSize: 3 });
  const expected = await whole.sample(request);
  const result = await chunked.sample(request);
  expect(result).toEqual(expected);
  expect(result.nfe).toBe(6);
  expect(result.trajectory).toHaveLength(4);
  expect(result.trajectory![0]).toEqual(noise);
  expect(result.trajectory![3]).toEqual(result.samples);
  expect(backend.compiled).toEqual(['heun-step', 'heun-step']);
});

describe('samples as they come', () => {
  const noise = key.normal([7, 1]);
  const request = { params, noise, solver: heun, times: uniformGrid(3), trajectory: true };
  const label = hostArray([0, 1, 2, 0, 1, 2, 0], { dtype: 'int32' });

  test('are what one call gives, with their labels, and each is begun when it is asked for', async () => {
    const backend = counting(referenceBackend());
    await using sampler = createSampler(backend, affine, { batchSize: 3 });
    const asked = { ...request, params: affine.init(key), label };
    const expected = await sampler.sample(asked);
    const before = backend.runs;
    const runs: number[] = [];
    const chunks: SampleChunk[] = [];
    for await (const chunk of sampler.stream(asked)) {
      runs.push(backend.runs - before);
      chunks.push(chunk);
    }
    expect(runs).toEqual([3, 6, 9]);
    expect(chunks.map(({ start, samples }) => [start, samples.shape[0]])).toEqual([
      [0, 3],
      [3, 3],
      [6, 1],
    ]);
    expect(HostArray.joinRows(chunks.map(({ samples }) => samples))).toEqual(expected.samples);
    expect(chunks.map((chunk) => [...chunk.label!.data])).toEqual([[0, 1, 2], [0, 1, 2], [0]]);
    expect(chunks.map(({ nfe }) => nfe)).toEqual([6, 6, 6]);
    expect(chunks[1].trajectory![3]).toEqual(chunks[1].samples);
  });

  test('are those of the request as it was at the call, which checks it', async () => {
    await using sampler = createSampler(referenceBackend(), gaussian, { batchSize: 3 });
    const expected = await sampler.sample(request);
    const changing = noise.clone();
    const stream = sampler.stream({ ...request, noise: changing });
    changing.data.fill(0);
    const { value } = await stream.next();
    expect(value).toEqual(expect.objectContaining({ samples: expected.samples.rows(0, 3) }));
    await stream.return();
    expect(() => sampler.stream({ ...request, times: [0, 1] })).toThrow(/strictly decreasing/);
  });

  test('end when the loop is left, the signal is aborted or the sampler is disposed of, and nothing stays', async () => {
    const backend = counting(referenceBackend());
    const sampler = createSampler(backend, gaussian, { batchSize: 1 });
    for await (const { start } of sampler.stream(request)) if (start === 2) break;
    expect([backend.runs, backend.live.size]).toEqual([9, 0]);

    const controller = new AbortController();
    const stopped = sampler.stream({ ...request, signal: controller.signal });
    await stopped.next();
    controller.abort(new Error('enough'));
    await expect(stopped.next()).rejects.toThrow('enough');
    expect([backend.runs, backend.live.size]).toEqual([12, 0]);

    // In the second step of the second chunk.
    const within = new AbortController();
    backend.onRun = (run) => void (run === 17 && within.abort(new Error('in between')));
    const broken = sampler.stream({ ...request, signal: within.signal });
    await broken.next();
    await expect(broken.next()).rejects.toThrow('in between');
    expect([backend.runs, backend.live.size]).toEqual([17, 0]);

    const cut = sampler.stream(request);
    await sampler.dispose();
    await expect(cut.next()).rejects.toThrow(DisposedError);
  });
});

test('one executable serves other parameters and other grids', async () => {
  const backend = counting(referenceBackend());
  await using sampler = createSampler(backend, gaussian);
  const noise = key.normal([4, 1]);
  for (const mean of [0, -3]) {
    const given = { mean: floats([mean]), variance: floats([0.04]) };
    for (const times of [[1, 0], uniformGrid(2)]) {
      const { samples, nfe } = await sampler.sample({ params: given, noise, solver: averageVelocity, times });
      expect(nfe).toBe(times.length - 1);
      const exact = Array.from(noise.data, (z) => mean + 0.2 * z);
      expect(maxDifference(samples.data, exact)).toBeLessThan(1e-6);
    }
  }
  expect(backend.compiled).toHaveLength(1);
});

test('solvers are told apart by what they are, not by their name', async () => {
  const backend = counting(referenceBackend());
  await using sampler = createSampler(backend, gaussian);
  const noise = key.normal([4, 1]);
  const still: FixedStepSolver = { ...euler, step: (_, z) => z };
  const sample = async (solver: Solver) =>
    (await sampler.sample({ params, noise, solver, times: [1, 0] })).samples;
  const moved = await sample(euler);
  expect(await sample(still)).toEqual(noise);
  expect(await sample(euler)).toEqual(moved);
  expect(moved).not.toEqual(noise);
  expect(backend.compiled).toEqual(['euler-step', 'euler-step']);
  // One that is changed after it was used is another.
  const changing = { ...euler };
  expect(await sample(changing)).toEqual(moved);
  changing.step = still.step;
  expect(await sample(changing)).toEqual(noise);
});

test('an adaptive solver of the same tolerances is the same, and a copy has its own', async () => {
  const backend = counting(referenceBackend());
  await using sampler = createSampler(backend, gaussian);
  const noise = key.normal([4, 1]);
  const sample = (solver: Solver) => sampler.sample({ params, noise, solver, times: [1, 0] });
  const fine = await sample(dormandPrince());
  expect(await sample(dormandPrince())).toEqual(fine);
  expect(backend.compiled).toHaveLength(3);
  const loose = { relativeTolerance: 1e-2, absoluteTolerance: 1e-2 };
  const coarse = await sample({ ...dormandPrince(), ...loose });
  expect(coarse).toEqual(await sample(dormandPrince(loose)));
  expect(coarse.nfe).toBeLessThan(fine.nfe);
});

test('parameters may live on the device, and stay there', async () => {
  const backend = referenceBackend();
  const copy = await compile(
    backend,
    trace((inputs: { mean: unknown; variance: unknown }) => inputs as never, {
      mean: spec([1]),
      variance: spec([1]),
    }),
  );
  const onDevice = (await copy.run(params)) as { mean: never; variance: never };
  await using sampler = createSampler(backend, gaussian);
  const request = { noise: key.normal([2, 1]), solver: euler, times: uniformGrid(3) };
  const first = await sampler.sample({ ...request, params: onDevice });
  const second = await sampler.sample({ ...request, params: onDevice });
  expect(first).toEqual(second);
  expect(first).toEqual(await sampler.sample({ ...request, params }));
});

test('labels and guidance conditions reach the network', async () => {
  await using sampler = createSampler(referenceBackend(), affine);
  const request = {
    params: affine.init(key),
    noise: new HostArray('float32', [2, 1], new Float32Array(2)),
    solver: averageVelocity,
    times: [1, 0.75],
    label: new HostArray('int32', [2], Int32Array.from([0, 2])),
  };
  const plain = await sampler.sample(request);
  // u = 2 · label + 1 − 0.25, over a step of ¼.
  expect([...plain.samples.data]).toEqual([-0.1875, -1.1875]);
  const guided = await sampler.sample({ ...request, condition: { omega: 4, tMin: 0.5, tMax: 0.75 } });
  expect([...guided.samples.data]).toEqual([-0.1875 - 21, -1.1875 - 21]);
});

test('classifier-free guidance applies within its interval and costs a second evaluation', async () => {
  await using sampler = createSampler(referenceBackend(), affine);
  const label = new HostArray('int32', [2], Int32Array.from([0, 1]));
  const request = {
    params: affine.init(key),
    noise: new HostArray('float32', [2, 1], new Float32Array(2)),
    solver: euler,
    times: [1, 0.5],
    label,
  };
  const at = async (guidance: { scale: number; start?: number; end?: number }) => {
    const { samples, nfe } = await sampler.sample({ ...request, guidance });
    expect(nfe).toBe(2);
    return [...samples.data];
  };
  // v_c = 2 · label + 1 and v_u = 2 · 3 + 1, over a step of ½.
  expect(await at({ scale: 1 })).toEqual([-0.5, -1.5]);
  expect(await at({ scale: 3 })).toEqual([-(7 + 3 * (1 - 7)) / 2, -(7 + 3 * (3 - 7)) / 2]);
  expect(await at({ scale: 3, start: 0.2, end: 1 })).toEqual(await at({ scale: 3 }));
  expect(await at({ scale: 3, start: 0, end: 0.9 })).toEqual([-0.5, -1.5]);
});

test('the unrolled graph samples as the loop does', async () => {
  const noise = key.normal([3, 1]);
  const label = new HostArray('int32', [3], Int32Array.from([2, 0, 1]));
  const given = affine.init(key);
  const options = { rows: 3, solver: heun, times: uniformGrid(2), label: true, guidance: true };
  const { graph, nfe } = sampleGraph(affine, given, options);
  const scalar = (value: number) => new HostArray('float32', [], Float32Array.of(value));
  const { samples } = interpret(graph, {
    'params/slope': given.slope,
    'conditions/label': label,
    'conditions/guidance/scale': scalar(2.5),
    'conditions/guidance/start': scalar(0.25),
    'conditions/guidance/end': scalar(1),
    'values/noise': noise,
  });
  await using sampler = createSampler(referenceBackend(), affine);
  const looped = await sampler.sample({
    params: given,
    noise,
    label,
    solver: heun,
    times: uniformGrid(2),
    guidance: { scale: 2.5, start: 0.25, end: 1 },
  });
  expect(nfe).toBe(8);
  expect(looped.nfe).toBe(nfe);
  expect(maxDifference(looped.samples.data, samples.data)).toBeLessThan(1e-6);
});

test('the unrolled graph ends in a decoder with parameters of its own', () => {
  const options = { rows: 2, solver: averageVelocity, times: [1, 0], label: true };
  const inputs = {
    'params/slope': affine.init(key).slope,
    'conditions/label': new HostArray('int32', [2], Int32Array.from([2, 0])),
    'values/noise': key.normal([2, 1]),
  };
  const bias = hostArray([3]);
  const plain = interpret(sampleGraph(affine, affine.init(key), options).graph, inputs).samples;
  const decoder: SampleDecoder = {
    params: { bias },
    apply: (params, samples) => add(mul(samples, 2), (params as { bias: Tensor }).bias),
  };
  const { graph } = sampleGraph(affine, affine.init(key), { ...options, decoder });
  const decoded = interpret(graph, { ...inputs, 'decoder/bias': bias }).samples;
  expect([...decoded.data]).toEqual(Array.from(plain.data, (value) => 2 * value + 3));
});

test('the unrolled graph scales its noise as the network was trained', () => {
  const options = { rows: 2, solver: averageVelocity, times: [1, 0], label: true };
  const noise = key.normal([2, 1]);
  const inputs = {
    'params/slope': affine.init(key).slope,
    'conditions/label': new HostArray('int32', [2], Int32Array.from([2, 0])),
  };
  const plain = sampleGraph(affine, affine.init(key), options).graph;
  const scaled = sampleGraph({ ...affine, noiseScale: 4 }, affine.init(key), options).graph;
  const fourfold = hostArray(noise.data.map((value) => 4 * value), { shape: [2, 1] }); // prettier-ignore
  expect([...interpret(scaled, { ...inputs, 'values/noise': noise }).samples.data]).toEqual([
    ...interpret(plain, { ...inputs, 'values/noise': fourfold }).samples.data,
  ]);
});

describe('decoding on a backend', () => {
  const decoder = {
    params: { bias: hostArray([3]) },
    apply: (params: unknown, samples: Tensor) =>
      add(concat([samples, samples], 1), (params as { bias: Tensor }).bias),
  };
  const samples = key.normal([5, 2]);

  const decode = async (given: HostArray, options: DecoderOptions & { signal?: AbortSignal } = {}) => {
    const { signal, ...others } = options;
    await using decoding = createDecoder(referenceBackend(), decoder, others);
    return await decoding.decode(given, signal && { signal });
  };

  test('takes samples that were posted to a worker, and names what is none', async () => {
    const decoded = await decode(samples);
    const posted = structuredClone(samples);
    expect(await decode(posted as HostArray)).toEqual(decoded);
    const failing = decode(samples.data as never);
    await expect(failing).rejects.toThrow('decode: samples is a HostArray, got a Float32Array of 10.');
  });

  test.each([1, 2, 5, 8])('%d rows at a time give the same', async (batchSize) => {
    const backend = counting(referenceBackend());
    await using decoding = createDecoder(backend, decoder, { batchSize });
    const decoded = await decoding.decode(samples);
    expect(decoded.shape).toEqual([5, 4]);
    expect([...decoded.data]).toEqual(
      [0, 1, 2, 3, 4].flatMap((row) => {
        const [a, b] = Array.from(samples.rows(row, row + 1).data, (value) => Math.fround(value + 3));
        return [a, b, a, b];
      }),
    );
    // Whole batches and what is left over, compiled once for any number of calls.
    expect(await decoding.decode(samples)).toEqual(decoded);
    expect(backend.compiled).toHaveLength(batchSize === 2 ? 2 : 1);
  });

  test('what does not fit is refused, and a signal is heard', async () => {
    await expect(decode(samples.rows(0, 0))).rejects.toThrow(ShapeError);
    await expect(decode(samples, { batchSize: 0 })).rejects.toThrow(/positive whole number, got 0/);
    await expect(decode(samples, { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
    const decoding = createDecoder(referenceBackend(), decoder);
    await decoding.dispose();
    await expect(decoding.decode(samples)).rejects.toThrow(DisposedError);
  });
});

describe('requests that do not fit are refused', () => {
  const backend = referenceBackend();
  const good = { params, noise: key.normal([2, 1]), solver: euler, times: [1, 0] };
  const label = new HostArray('int32', [2], new Int32Array(2));
  test.each<[string, object, RegExp]>([
    ['noise', { noise: key.normal([2, 3]) }, /noise must be \[count, 1\].*got \[2, 3\]/],
    ['no samples', { noise: key.normal([0, 1]) }, /count ≥ 1/],
    ['grid', { times: [0.2, 0.5] }, /strictly decreasing/],
    ['labels', { label }, /takes no labels/],
    ['condition', { condition: { omega: 2 } }, /no guidance scale/],
    ['guidance', { guidance: { scale: 2 } }, /network with classes, and labels/],
  ])('%s', async (_, change, message) => {
    const sampler = createSampler(backend, gaussian);
    await expect(sampler.sample({ ...good, ...change })).rejects.toThrow(message);
  });
  test('labels for other rows', async () => {
    const sampler = createSampler(backend, affine);
    const request = { ...good, params: affine.init(key), noise: key.normal([3, 1]), label };
    await expect(sampler.sample(request)).rejects.toThrow(/label must be \[3\].*got \[2\]/);
  });
  test('a batch size that is none', () => {
    expect(() => createSampler(backend, gaussian, { batchSize: 0 })).toThrow(/batchSize.*got 0/);
  });
  test('an aborted signal stops it', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const sampler = createSampler(backend, gaussian);
    await expect(sampler.sample({ ...good, signal: controller.signal })).rejects.toThrow('enough');
  });
});

test('a field at r = t folds the interval away', () => {
  const seen: boolean[] = [];
  const watching = formula([1], {}, (_, { z, h }) => {
    seen.push(h.node.op === 'broadcastTo' && h.node.inputs[0].node.op === 'constant');
    return z;
  });
  trace(({ z, t, r }) => {
    const field = velocityField(watching, {});
    return [field(z, t, t), field(z, r, t)];
  }, { z: spec([2, 1]), t: spec([]), r: spec([]) }); // prettier-ignore
  expect(seen).toEqual([true, false]);
});

describe('settled parameters', () => {
  const noise = key.fold('settled').normal([5, 1]);
  const request = { noise, solver: averageVelocity, times: [1, 0] };
  /** What is compiled, with how many constants. */
  const counting = () => {
    const compiled: number[] = [];
    const inner = referenceBackend();
    const backend: Backend = {
      ...inner,
      compile: (graph, options) => {
        compiled.push(Object.keys(options?.constants ?? {}).length);
        return inner.compile(graph, options);
      },
    };
    return { backend, compiled };
  };

  test('are constants of what is compiled, once for all requests', async () => {
    const { backend, compiled } = counting();
    const plain = await createSampler(backend, gaussian).sample({ ...request, params });
    await using sampler = createSampler(backend, gaussian, { params });
    const settled = await sampler.sample(request);
    const again = await sampler.sample({ ...request, params });
    expect(settled.samples.data).toEqual(plain.samples.data);
    expect(again.samples.data).toEqual(plain.samples.data);
    expect(compiled).toEqual([0, 2]);
  });

  test('and others may be given all the same', async () => {
    const { backend, compiled } = counting();
    await using sampler = createSampler(backend, gaussian, { params });
    const other = { mean: floats([-4]), variance: floats([0.25]) };
    const moved = await sampler.sample({ ...request, params: other });
    const own = await sampler.sample(request);
    expect(maxDifference(moved.samples.data, own.samples.data)).toBeGreaterThan(1);
    expect(compiled).toEqual([0, 2]);
  });

  test('are as they were when the sampler was made', async () => {
    const given = { mean: floats([1.5]), variance: floats([0.25]) };
    await using sampler = createSampler(referenceBackend(), gaussian, { params: given });
    given.mean.data[0] = 40;
    const plain = await createSampler(referenceBackend(), gaussian).sample({ ...request, params });
    expect((await sampler.sample(request)).samples.data).toEqual(plain.samples.data);
  });

  test('or none at all', async () => {
    const sampler = createSampler(referenceBackend(), gaussian);
    await expect(sampler.sample(request)).rejects.toThrow('there are no params');
  });
});

describe('float16', () => {
  const noise = key.fold('half').normal([6, 2]);
  const request = { noise, solver: euler, times: uniformGrid(4) };
  const parameters = { w: key.fold('w').uniform([2, 2], -1, 1) };
  const linear = formula([2], parameters, ({ w }, { z }) => matmul(z, w));
  /** What is compiled, and for which constants. */
  const watching = () => {
    const inner = referenceBackend();
    const compiled: { readonly graph: Graph; readonly constants: readonly string[] }[] = [];
    const backend: Backend = {
      ...inner,
      compile: (graph, options) => {
        compiled.push({ graph, constants: Object.keys(options?.constants ?? {}) });
        return inner.compile(graph, options);
      },
    };
    return { backend, compiled };
  };
  const typeOf = ({ inputs, types }: Graph, name: string) =>
    types[inputs.find((input) => input.name === name)!.value]!.dtype;

  test('samples are those of float32, nearly, from parameters of half the size', async () => {
    const { backend, compiled } = watching();
    await using exact = createSampler(backend, linear, { params: parameters });
    await using half = createSampler(backend, linear, { params: parameters, precision: 'float16' });
    const [expected, got] = [await exact.sample(request), await half.sample(request)];
    const difference = maxDifference(got.samples.data, expected.samples.data);
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(5e-3);
    expect(got.nfe).toBe(expected.nfe);
    const [{ graph }, { graph: halved, constants }] = [compiled[0]!, compiled[1]!];
    expect([typeOf(graph, 'params/w'), typeOf(halved, 'params/w')]).toEqual(['float32', 'float16']);
    expect(constants).toEqual(['params/w']);
    // Noise, and what the solver makes of it, are exact.
    expect(typeOf(halved, 'values/z')).toBe('float32');
    const { instructions, types } = prepare(halved);
    const products = instructions.filter(({ op }) => op === 'dotGeneral');
    expect(products.map(({ inputs }) => inputs.map((value) => types[value]!.dtype))).toEqual([
      ['float16', 'float16'],
    ]);
    // Widened and rounded again, a parameter is what it was.
    const casts = instructions.filter(
      ({ op, inputs }) => op === 'cast' && inputs[0] === halved.inputs[0]!.value,
    );
    expect(casts).toEqual([]);
  });

  test('parameters that are given with a request are rounded there', async () => {
    const { backend, compiled } = watching();
    await using sampler = createSampler(backend, linear, { precision: 'float16' });
    await using settled = createSampler(backend, linear, { precision: 'float16', params: parameters });
    const { samples } = await sampler.sample({ ...request, params: parameters });
    expect(samples.data).toEqual((await settled.sample(request)).samples.data);
    expect(typeOf(compiled[0]!.graph, 'params/w')).toBe('float32');
  });

  test('guidance too', async () => {
    const classes = { table: key.fold('table').uniform([4, 2], -1, 1), w: parameters.w };
    const conditional = formula(
      [2],
      classes,
      ({ table, w }, { z, label }) => add(matmul(z, w), gather(table, label!)),
      {
        classCount: 3,
      },
    );
    const guided = {
      ...request,
      label: new HostArray('int32', [6], Int32Array.of(0, 1, 2, 0, 1, 2)),
      guidance: { scale: 2 },
    };
    await using exact = createSampler(referenceBackend(), conditional, { params: classes });
    await using half = createSampler(referenceBackend(), conditional, {
      params: classes,
      precision: 'float16',
    });
    const [expected, got] = [await exact.sample(guided), await half.sample(guided)];
    expect(maxDifference(got.samples.data, expected.samples.data)).toBeLessThan(5e-3);
  });

  test('what is beyond it is an error, before and after', async () => {
    const large = { w: new HostArray('float32', [2, 2], Float32Array.of(1, 2, 70_000, 3)) };
    expect(() => createSampler(referenceBackend(), linear, { params: large, precision: 'float16' })).toThrow(
      'parameter "w" holds 70000 at element 2, beyond float16, whose largest is 65504. Sample this network with precision float32.',
    );
    const steep = { w: new HostArray('float32', [2, 2], Float32Array.of(0, 6e4, 6e4, 0)) };
    const far = { ...request, noise: new HostArray('float32', [1, 2], Float32Array.of(0, 2)) };
    await using exact = createSampler(referenceBackend(), linear, { params: steep });
    expect((await exact.sample({ ...far, times: [1, 0] })).samples.data).toEqual(Float32Array.of(-12e4, 2));
    await using half = createSampler(referenceBackend(), linear, { params: steep, precision: 'float16' });
    await expect(half.sample({ ...far, times: [1, 0] })).rejects.toThrow(
      'Sample 0 of the batch is not finite (-Infinity) in float16: the network leaves its range',
    );
  });

  test('another precision is refused', () => {
    expect(() => createSampler(referenceBackend(), linear, { precision: 'bfloat16' as 'float16' })).toThrow(
      'createSampler: precision is float32 or float16, got "bfloat16".',
    );
  });
});
