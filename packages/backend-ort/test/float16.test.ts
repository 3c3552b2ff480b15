/** float16 on ONNX Runtime's CPU provider and in WebAssembly: every kind of op on it gives what the interpreter does. */
import {
  autocast,
  cast,
  concat,
  exp,
  hostArray,
  isFinite,
  matmul,
  maximum,
  referenceBackend,
  softmax,
  spec,
  sum,
  trace,
  where,
  type Backend,
  type DeviceArray,
  type RunInput,
  type Tensor,
} from '@meanflow/core';
import { ortBackend, type OrtBackend, type OrtBinding } from '../src/index.js';
import { describeWebgpu, openWasm, openWebgpu } from './devices.js';
import { ort } from './support.js';

const step = ({ x, w, kept }: { x: Tensor; w: Tensor; kept: Tensor }) => {
  const h = cast(x, 'float16');
  const network = autocast((y: Tensor) => softmax(matmul(matmul(y, w), w).mul(0.5)));
  const moved = concat([h.transpose().reshape([2, 4]), h.mul(2).reshape([2, 4])], 1);
  return {
    kept: kept.add(moved),
    network: network(x),
    exact: exp(h),
    total: sum(h, 0),
    greatest: maximum(h, 0.25),
    finite: cast(isFinite(h.mul(1e5)), 'int32'),
    chosen: where(isFinite(h), h, 1),
  };
};

const w = hostArray([
  [0.3, -0.2],
  [0.7, 0.1],
]);
const x = hostArray([
  [0.1, -1000],
  [65504, 6e-8],
  [NaN, 1],
  [-Infinity, 3],
]);
const kept = hostArray(Array.from({ length: 16 }, (_, i) => i / 3)).reshape([2, 8]);

type Values = Readonly<Record<string, readonly number[]>>;

async function run(backend: Backend, constants = {}): Promise<Values> {
  const { graph } = trace(step, { x: spec([4, 2]), w: spec([2, 2]), kept: spec([2, 8], 'float16') });
  await using executable = await backend.compile(graph, { state: { kept: 'kept' }, constants });
  const given: Record<string, RunInput> = 'w' in constants ? { x } : { x, w };
  const first = await executable.run({ ...given, kept });
  const second = await executable.run({ ...given, kept: first.kept });
  return readAll(second);
}

async function readAll(results: Readonly<Record<string, DeviceArray>>): Promise<Values> {
  const read = Object.entries(results).map(
    async ([name, array]) => [name, [...(await array.read()).data]] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

const openCpu = (binding: OrtBinding) => () => ortBackend({ ort, binding, threads: 1 });
const devices: readonly (readonly [string, () => Promise<OrtBackend>])[] = [
  ['cpu by the native binding', openCpu('native')],
  ['cpu by the public binding', openCpu('public')],
  ['wasm', openWasm],
];

describe.each(devices)('%s', (_, open) => {
  test('computes in float16 as the interpreter does', async () => {
    await using reference = referenceBackend();
    await using backend = await open();
    const expected = await run(reference);
    expectHalves(await run(backend), expected);
    expectHalves(await run(backend, { w }), expected);
  });

  test('rounds constants that are inputs of float16', async () => {
    await using reference = referenceBackend();
    await using backend = await open();
    const { graph } = trace(
      ({ h, by }: Record<'h' | 'by', Tensor>) => ({
        product: matmul(h, by),
        same: by,
        wide: cast(by, 'float32'),
      }),
      { h: spec([4, 2], 'float16'), by: spec([2, 2], 'float16') },
    );
    const results = async (on: Backend) => {
      await using executable = await on.compile(graph, { constants: { by: w } });
      return readAll(await executable.run({ h: x }));
    };
    await using settled = await backend.compile(graph, { constants: { by: w } });
    expect(settled.counters.hostToDeviceBytes).toBe(4 * 2);
    const found = await results(backend);
    expect(found['wide']![0]).toBe(0.300048828125);
    expectHalves(found, await results(reference));
  });
});

describeWebgpu('ort:webgpu', () => {
  test('refuses float16, with what to do', async () => {
    await using backend = await openWebgpu();
    await expect(run(backend)).rejects.toThrow(/in float16: it was not tested on this device; use precision/);
  });
});

function expectHalves(got: Values, expected: Values): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    values.forEach((value, i) => {
      const found = got[name]![i]!;
      if (!Number.isFinite(value)) expect([name, i, found]).toEqual([name, i, value]);
      else expect(Math.abs(found - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -10 + 2 ** -14);
    });
  }
}
