/** webgpuCost: what a graph costs on a WebGPU device, counted without one. */
import type { Graph } from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import type { FusionOptions } from '../options.js';
import { buildProgram } from '../program/build.js';
import { bytesBound } from '../schedule.js';
import { donatedOf, fuse, opsOf, type Unit } from './fusion.js';
import { packScalars } from './pack-scalars.js';

/** What one run costs. */
export interface WebgpuCost {
  /** The dispatches, by the ops that each makes. A convolution, which is tfjs's, may take more than the one that stands here. */
  readonly kernels: readonly string[];
  /** Bytes that they read and write: each operand and result whole, once per kernel. */
  readonly bytes: number;
}

export interface WebgpuCostOptions {
  /** Inputs that outputs replace, as in `CompileOptions`: those are written over these. */
  readonly state?: Readonly<Record<string, string>>;
  /** As the device is asked for them; by default those of a GPU in Chromium. */
  readonly fusion?: Partial<FusionOptions>;
}

/** What suits GPUs; Chromium lets a kernel bind ten buffers on most. */
export const gpuFusion: FusionOptions = {
  fuse: true,
  maxBuffers: 10,
  threadsPerRow: 256,
  directProduct: 2 ** 21,
  products: 'tiles',
};

/** Run by themselves, these are no kernels. */
const FREE: ReadonlySet<string> = new Set(['constant', 'optimizationBarrier']);

const isDispatched = (unit: Unit) => unit.kind === 'kernel' || !FREE.has(unit.node.op);

const bound = (unit: Unit) =>
  unit.kind === 'kernel'
    ? [...unit.kernel.reads, ...unit.kernel.inPlace.map(({ value }) => value), ...unit.group.results]
    : [...unit.node.inputs, unit.node.output];

/**
 * What one run of a graph costs on a WebGPU device: counts that depend on no machine.
 *
 * @throws {BackendError} when an op has no form that the backend computes
 */
export function webgpuCost(graph: Graph, options: WebgpuCostOptions = {}): WebgpuCost {
  checkOptions<WebgpuCostOptions>('webgpuCost', options, { state: true, fusion: true });
  const { state = {}, fusion } = options;
  const isState = (name: string) => Object.hasOwn(state, name);
  const { program } = packScalars(buildProgram(graph), isState);
  const units = fuse(program, { ...gpuFusion, ...fusion }, donatedOf(program, isState)).filter(isDispatched);
  return {
    kernels: units.map(opsOf),
    bytes: units.reduce((sum, unit) => sum + bytesBound(bound(unit)), 0),
  };
}
