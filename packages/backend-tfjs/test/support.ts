/**
 * What the tests share: every device that can be opened here, and the comparison of a graph's outputs with the
 * reference interpreter's. A device that cannot be opened is reported as skipped, with the reason.
 */
import {
  hostArray,
  interpret,
  RandomKey,
  spec,
  trace,
  type DType,
  type Graph,
  type HostArray,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { tfjsBackend, type TfjsBackend, type TfjsBackendOptions, type TfjsDevice } from '../src/index.js';

export const tf: () => Promise<object> = () => import('@tensorflow/tfjs-core');

const kernels: Partial<Record<TfjsDevice, () => Promise<object>>> = {
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  webgpu: () => import('@tensorflow/tfjs-backend-webgpu'),
};
const gpu = () => import('webgpu');

/** Opens a device anew. */
export const open = (device: TfjsDevice, options: Partial<TfjsBackendOptions> = {}): Promise<TfjsBackend> =>
  tfjsBackend({ tf, device, kernels: kernels[device], gpu, allowSoftware: true, ...options });

const shared = new Map<TfjsDevice, Promise<TfjsBackend>>();

/** One backend per device and test file. */
export function backend(device: TfjsDevice): Promise<TfjsBackend> {
  if (!shared.has(device)) shared.set(device, open(device));
  return shared.get(device)!;
}

/** Why WebGPU cannot be tested here, if it cannot. Where it must be, `MEANFLOW_REQUIRE_WEBGPU=1` makes that an error. */
export const noWebgpu: string | undefined = await open('webgpu').then(
  async (opened) => {
    await opened.dispose();
    return undefined;
  },
  (error: Error) => {
    if (process.env.MEANFLOW_REQUIRE_WEBGPU === '1') throw error;
    return error.message;
  },
);

/** The devices to test on, with why some cannot be. */
const devices: readonly (readonly [TfjsDevice, string | undefined])[] = [
  ['cpu', undefined],
  ['wasm', undefined],
  ['webgpu', noWebgpu],
];

/** 2⁻²⁴: the largest relative error of rounding a number to float32. */
const HALF_ULP = 2 ** -24;

/**
 * Largest error allowed, in roundings of float32: `|got − expected| ≤ n · 2⁻²⁴ · max(|expected|, scale)`.
 *
 * - `exact`: data movement, comparison, integers: the very bits of the float32 inputs.
 * - `arithmetic`: one correctly rounded operation.
 * - `function`: approximations of exp, tanh, … accurate to a few units in the last place of numbers around 1.
 * - `sum`: sums and products of up to a few hundred terms, each rounded; `scale` is the sum of the magnitudes.
 */
export const roundings = { exact: 0, arithmetic: 1, function: 8, sum: 32 } as const;
export type Accuracy = keyof typeof roundings;

/** Runs a graph on the backend and reads every output. */
export async function runGraph(
  device: TfjsDevice | TfjsBackend,
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<Record<string, HostArray>> {
  const on = typeof device === 'string' ? await backend(device) : device;
  const executable = await on.compile(graph);
  try {
    const outputs = await executable.run(inputs);
    const read: Record<string, HostArray> = {};
    for (const [name, array] of Object.entries(outputs)) {
      read[name] = await array.read();
      array.dispose();
    }
    return read;
  } finally {
    await executable.dispose();
  }
}

/** Checks one array against the reference, element by element; NaN equals NaN and infinities equal themselves. */
export function expectClose(got: HostArray, expected: HostArray, accuracy: Accuracy, scale = 1): void {
  expect(got.shape).toEqual(expected.shape);
  expect(got.dtype).toBe(expected.dtype === 'float64' ? 'float32' : expected.dtype);
  const wrong: string[] = [];
  got.data.forEach((value, i) => {
    const wanted = got.dtype === 'float32' ? Math.fround(expected.data[i]) : expected.data[i];
    const tolerance =
      roundings[accuracy] * HALF_ULP * Math.max(Math.abs(wanted), accuracy === 'exact' ? 0 : scale);
    if (Object.is(value, wanted)) return;
    if (!(Math.abs(value - expected.data[i]) <= tolerance) || (accuracy === 'exact' && value === 0))
      wrong.push(
        `[${i}] ${Object.is(value, -0) ? '-0' : value} instead of ${Object.is(wanted, -0) ? '-0' : wanted}`,
      );
  });
  expect(wrong).toEqual([]);
}

/** Traces `f` at the arrays' types, and checks its result on a device against the reference interpreter. */
export async function check(
  device: TfjsDevice | TfjsBackend,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly HostArray[],
  accuracy: Accuracy,
  scale = 1,
): Promise<void> {
  const { graph } = trace(
    (list: readonly Tensor[]) => ({ result: f(...list) }),
    inputs.map(({ dtype, shape }) => spec(shape, dtype as DType)),
  );
  const named = Object.fromEntries(inputs.map((array, i) => [String(i), array]));
  const got = await runGraph(device, graph, named);
  expectClose(got.result, interpret(graph, named).result, accuracy, scale);
}

const key = RandomKey.fromSeed(7);

/** Normal float32 numbers; equal arguments give equal numbers. */
export const normal = (shape: Shape, stream = 'x'): HostArray => key.fold(stream).normal(shape);

export const floats = (values: number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Float32Array.from(values), { shape });
export const ints = (values: number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Int32Array.from(values), { dtype: 'int32', shape });
export const bools = (values: number[], shape: Shape = [values.length]): HostArray =>
  hostArray(Uint8Array.from(values), { dtype: 'bool', shape });

/** What the tests of one device use. */
export interface OnDevice {
  readonly device: TfjsDevice;
  /** {@link check} on this device. */
  check(
    f: (...inputs: Tensor[]) => Tensor,
    inputs: readonly HostArray[],
    accuracy: Accuracy,
    scale?: number,
  ): Promise<void>;
  /** {@link runGraph} on this device. */
  runGraph(graph: Graph, inputs: Readonly<Record<string, HostArray>>): Promise<Record<string, HostArray>>;
  backend(): Promise<TfjsBackend>;
}

/** Defines the tests of `body` once per device. */
export function onEveryDevice(body: (on: OnDevice) => void): void {
  for (const [device, reason] of devices) {
    if (reason !== undefined) {
      test.skip(`tfjs:${device}: ${reason}`, () => {});
      continue;
    }
    describe(`tfjs:${device}`, () => {
      body({
        device,
        check: (f, inputs, accuracy, scale) => check(device, f, inputs, accuracy, scale),
        runGraph: (graph, inputs) => runGraph(device, graph, inputs),
        backend: () => backend(device),
      });
      afterAll(async () => {
        await (await shared.get(device))?.dispose();
        shared.delete(device);
      });
    });
  }
}
