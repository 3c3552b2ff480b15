/** tfjsBackend: the Backend contract on TensorFlow.js. */
import { checkChoice, checkOptions } from '@meanflow/core/validation';
import { backendOn } from '@meanflow/core/backend';
import { deviceOf, type Plan } from './device.js';
import { openEngineDevice } from './devices.js';
import { planKernels } from './kernels/plan.js';
import type { TfjsBackend, TfjsBackendOptions } from './options.js';
import { loadTf } from './runtime.js';
import { fusionFor, openWebgpu } from './webgpu/open.js';
import { planWebgpu } from './webgpu/plan.js';

/**
 * A backend that runs graphs on the kernels of TensorFlow.js. Every op runs on every device. Where devices differ:
 *
 * - An index outside of a table fails the run on the host's devices; WebGPU, which is not waited for, takes the
 *   nearest row, and a scatter leaves it out.
 * - WebGPU may take numbers below 2⁻¹²⁶ for zero.
 * - A donated input is given back as soon as the run no longer needs it, so a run that fails on the device has consumed
 *   it; one that is refused or aborted before it begins has not.
 *
 * @throws {BackendError} when tfjs or the device is not there, saying what was asked, what was found, what to install
 */
export async function tfjsBackend(options: TfjsBackendOptions): Promise<TfjsBackend> {
  checkOptions<TfjsBackendOptions>('tfjsBackend', options, {
    tf: true,
    device: true,
    kernels: true,
    gpu: true,
    allowSoftware: true,
    powerPreference: true,
    fusion: true,
  });
  if (options.powerPreference !== undefined) {
    checkChoice('powerPreference', options.powerPreference, ['high-performance', 'low-power']);
  }
  const { device = 'cpu' } = options;
  const tf = await loadTf(options.tf);
  if (device === 'webgpu') {
    const opened = await openWebgpu(tf, options);
    const fusion = { ...fusionFor(opened), ...options.fusion };
    const { runner } = opened;
    const plan: Plan = (program, source, isState) => planWebgpu(program, source, runner, fusion, isState);
    return backendOn(deviceOf(tf, opened, plan));
  }
  return backendOn(deviceOf(tf, await openEngineDevice(tf, device, options), planKernels));
}
