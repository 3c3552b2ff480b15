/**
 * What models are written for: an operator set, a lowering table and the composites taken whole, by device. ONNX
 * Runtime's CPU provider (which is also what runs in WebAssembly) has kernels up to the newest set. The WebGPU
 * provider's kernels for Transpose, Pad, Conv, Sin and others end at set 21: of a newer one they would be the CPU's.
 */
import { cudaKernels, generalKernels, portableKernels, type Kernels } from './composites.js';
import type { OrtDevice } from './options.js';
import type { Lowerings } from './lowerings/lowering.js';
import { contraction } from './lowerings/dot.js';
import { portableReduceSum } from './lowerings/reductions.js';
import { cudaLowerings, generalLowerings, portableLowerings } from './lowerings/table.js';
import type { ModelFormat } from './onnx/model-builder.js';

export interface Target extends ModelFormat {
  readonly lowerings: Lowerings;
  readonly kernels: Kernels;
  /** Threads that our own kernels share; where there is none, all kernels are ONNX Runtime's. */
  readonly threads?: number;
}

const general: Target = { opset: 26, lowerings: generalLowerings, kernels: generalKernels };
const portable: Target = {
  opset: 21,
  lowerings: portableLowerings,
  kernels: portableKernels,
  copies: { bool: ['Not', 'Not'] },
};

export const targets: Readonly<Record<OrtDevice, Target>> = {
  cpu: general,
  wasm: general,
  webgpu: portable,
  cuda: { ...portable, lowerings: cudaLowerings, kernels: cudaKernels },
};

/**
 * Normalisations are more in a fused call: what is added, scaled and modulated around them is done in the same walk. Attention is
 * three of our kernels, which read heads where they lie.
 */
const {
  attention: _attention,
  softmax: _softmax,
  layerNorm: _layerNorm,
  rmsNorm: _rmsNorm,
  ...besideOwnKernels
} = generalKernels;

/** What runs in this process on the processor, with the library of our own kernels. */
export const withOwnKernels = (threads: number): Target => ({
  ...general,
  kernels: besideOwnKernels,
  threads,
});

/** Files for other programs: operators of the ONNX standard alone, and none that GPU providers lack. */
export const interchange: Target = {
  ...portable,
  lowerings: { ...cudaLowerings, dotGeneral: contraction('transpose'), reduceSum: portableReduceSum },
};
