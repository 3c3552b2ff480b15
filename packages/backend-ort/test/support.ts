/** What the tests share: one backend, and the comparison of a function's result with the reference interpreter's. */
import type { HostArray, Tensor } from '@meanflow/core';
import * as testing from '@meanflow/conformance/testing';
import { ortBackend, type OrtBackend } from '../src/index.js';

export { bools, expectClose, floats, ints, normal } from '@meanflow/conformance/testing';

export const ort = () => import('onnxruntime-node');

let shared: Promise<OrtBackend> | undefined;
export const backend = (): Promise<OrtBackend> => (shared ??= ortBackend({ ort, threads: 2 }));

/** Checks the result of `f` on the backend against the reference interpreter. */
export async function check(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly HostArray[],
  accuracy: testing.Accuracy,
  scale = 1,
): Promise<void> {
  await testing.check(await backend(), f, inputs, accuracy, scale);
}
