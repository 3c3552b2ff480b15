/**
 * What the tests share: every device that can be opened here, and the comparison of a function's result on it with the
 * reference interpreter's. A device that cannot be opened is reported as skipped, with the reason.
 */
import type { Graph, HostArray, Tensor } from '@meanflow/core';
import * as testing from '@meanflow/conformance/testing';
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

export { bools, expectClose, floats, ints, normal, type Accuracy } from '@meanflow/conformance/testing';

/** Runs a graph on a device and reads every output. */
export async function runGraph(
  device: TfjsDevice | TfjsBackend,
  graph: Graph,
  inputs: Readonly<Record<string, HostArray>>,
): Promise<Record<string, HostArray>> {
  return testing.runGraph(await opened(device), graph, inputs);
}

/** Checks the result of `f` on a device against the reference interpreter. */
export async function check(
  device: TfjsDevice | TfjsBackend,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly HostArray[],
  accuracy: testing.Accuracy,
  scale = 1,
): Promise<void> {
  await testing.check(await opened(device), f, inputs, accuracy, scale);
}

const opened = async (device: TfjsDevice | TfjsBackend): Promise<TfjsBackend> =>
  typeof device === 'string' ? backend(device) : device;

/** What the tests of one device use. */
export interface OnDevice {
  readonly device: TfjsDevice;
  /** {@link check} on this device. */
  check(
    f: (...inputs: Tensor[]) => Tensor,
    inputs: readonly HostArray[],
    accuracy: testing.Accuracy,
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
