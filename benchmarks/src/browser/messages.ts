/** What Node asks of a page of the benchmarks, and what the page answers. */
import type { Compared, StepTime } from '../driver/worker.js';

/** What runs in a page: a program and where it computes. */
export const pagePrograms = [
  ...(['meanflow tfjs:webgpu', 'meanflow ort:wasm', 'meanflow tfjs:wasm'] as const),
  ...(['jax-js webgpu', 'jax-js wasm', 'tfjs webgpu', 'tfjs wasm'] as const),
] as const;
export type PageProgramName = (typeof pagePrograms)[number];

/** What a step makes WebGPU do. Bytes are of the buffers that its dispatches bind, each as often as one binds it. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly boundBytes: number;
  /** From the host, by the queue. */
  readonly writtenBytes: number;
}

export interface Opened {
  readonly compared: Compared;
  /** Until the end of the first step, libraries loaded and shaders compiled. */
  readonly firstStepSeconds: number;
  /** Of the third step, where it is on WebGPU. */
  readonly counts?: GpuCounts;
}

/** The page's object for Node. */
export interface PageApi {
  /** @param name of a program @param benchmark of a case */
  open(name: PageProgramName, benchmark: string): Promise<Opened>;
  time(n: number): Promise<readonly StepTime[]>;
}

export const PAGE = 'meanflowBenchmark';
/** Paths under which pages find WebAssembly files. */
export const ORT_FILES = '/onnxruntime-web/';
export const TFJS_FILES = '/tfjs-backend-wasm/';
