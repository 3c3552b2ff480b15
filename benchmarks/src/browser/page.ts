/** The page of the benchmarks: a case's train step by one program, when Node asks for it. */
import { ortBackend } from '@meanflow/backend-ort';
import { tfjsBackend } from '@meanflow/backend-tfjs';
import type { Backend } from '@meanflow/core';
import { cases, type TrainCase } from '../cases.js';
import type { StepTime } from '../driver/worker.js';
import type { ScriptStep } from '../script/step.js';
import { advance, createTrainer, gradientOf } from '../train-step.js';
import { makeWorkload, type Workload } from '../workload.js';
import { between, watchGpu } from './gpu-counts.js';
import { ORT_FILES, PAGE, TFJS_FILES, type PageApi, type PageProgramName } from './messages.js';

// Before any library is loaded: one that has begun keeps the functions that it found.
const counts = watchGpu();
const tf = () => import('@tensorflow/tfjs-core');
const webgpuKernels = () => import('@tensorflow/tfjs-backend-webgpu');
const wasmKernels = async () => {
  const kernels = await import('@tensorflow/tfjs-backend-wasm');
  kernels.setWasmPaths(TFJS_FILES);
  return kernels;
};
const ortForWasm = async () => {
  const ort = await import('onnxruntime-web/wasm');
  ort.env.wasm.wasmPaths = ORT_FILES;
  return ort;
};

type Start = (benchmark: TrainCase, workload: Workload) => Promise<ScriptStep>;

const ours =
  (open: () => Promise<Backend>): Start =>
  async (benchmark, workload) => {
    const trainer = await createTrainer(await open(), benchmark, workload, 'all');
    return {
      step: () => advance(trainer),
      // Of the update that comes next; of the first, Node knows it.
      gradientNorm: async () => (await gradientOf(trainer)).gradientNorm,
    };
  };
const jaxJs =
  (device: 'wasm' | 'webgpu'): Start =>
  async (...given) =>
    (await import('../script/jax-js.js')).jaxJsStep(device, ...given);
const tfjs =
  (device: 'wasm' | 'webgpu'): Start =>
  async (...given) => {
    await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
    await (device === 'wasm' ? wasmKernels() : webgpuKernels());
    return (await import('../script/tfjs.js')).tfjsStep(device, ...given);
  };

const programs: Readonly<Record<PageProgramName, Start>> = {
  'meanflow tfjs:webgpu': ours(() =>
    tfjsBackend({ tf, kernels: webgpuKernels, device: 'webgpu', allowSoftware: true }),
  ),
  'meanflow ort:wasm': ours(() => ortBackend({ ort: ortForWasm, device: 'wasm' })),
  'meanflow tfjs:wasm': ours(() => tfjsBackend({ tf, kernels: wasmKernels, device: 'wasm' })),
  'jax-js webgpu': jaxJs('webgpu'),
  'jax-js wasm': jaxJs('wasm'),
  'tfjs webgpu': tfjs('webgpu'),
  'tfjs wasm': tfjs('wasm'),
};

let step: () => Promise<number>;

const api: PageApi = {
  open: async (name, benchmark) => {
    const chosen = cases.find((each) => each.name === benchmark);
    if (chosen?.task !== 'train') throw new Error(`There is no train step "${benchmark}".`);
    const workload = makeWorkload(chosen);
    const began = performance.now();
    const made = await programs[name](chosen, workload);
    step = made.step;
    const losses = [await step()];
    const firstStepSeconds = (performance.now() - began) / 1000;
    const gradientNorm = name.startsWith('meanflow') ? undefined : await made.gradientNorm();
    losses.push(await step());
    const before = counts();
    losses.push(await step());
    const compared = { losses, ...(gradientNorm !== undefined && { gradientNorm }) };
    return {
      compared,
      firstStepSeconds,
      ...(name.endsWith('webgpu') && { counts: between(before, counts()) }),
    };
  },
  time: async (n) => {
    const times: StepTime[] = [];
    for (let i = 0; i < n; i++) {
      const began = performance.now();
      await step();
      // A page does not tell processor time.
      times.push([performance.now() - began, NaN]);
    }
    return times;
  },
};
Object.assign(globalThis, { [PAGE]: api });
