/** The devices beside the CPU, for tests, and why WebGPU cannot be tested where it cannot. */
import { ortBackend, type OrtBackend, type OrtBackendOptions } from '../src/index.js';
import { ort } from './support.js';

const gpu = (): Promise<unknown> => import('webgpu');

export const openWasm = (): Promise<OrtBackend> =>
  ortBackend({ ort: () => import('onnxruntime-web'), device: 'wasm' });

export const openWebgpu = (options: Partial<OrtBackendOptions> = {}): Promise<OrtBackend> =>
  ortBackend({ ort, gpu, device: 'webgpu', allowSoftware: true, ...options });

/** Why there is no WebGPU here, if there is none. Where it must be, `MEANFLOW_REQUIRE_WEBGPU=1` makes that an error. */
export const noWebgpu: string | undefined = await openWebgpu().then(
  async (opened) => {
    await opened.dispose();
    return undefined;
  },
  (error: Error) => {
    if (process.env.MEANFLOW_REQUIRE_WEBGPU === '1') throw error;
    return error.message;
  },
);

/** A suite on WebGPU; skipped where there is none, with the reason in its name. */
export const describeWebgpu = (name: string, define: () => void): void =>
  noWebgpu === undefined
    ? describe(name, define)
    : describe.skip(`${name}: ort:webgpu cannot run here: ${noWebgpu.replaceAll('\n', ' ')}`, define);
