/** The page of a test: a device is destroyed while a backend computes on it, and what the calls say is put into the title. */
import { hostArray, mul, spec, trace } from '@meanflow/core';
import { ortBackend } from '../../src/index.js';
import { ORT_FILES } from './files.js';

async function lose(): Promise<string> {
  const ort = await import('onnxruntime-web/webgpu');
  ort.env.wasm.wasmPaths = ORT_FILES;
  const backend = await ortBackend({ ort, device: 'webgpu', allowSoftware: true });
  const { graph } = trace(({ x }) => ({ y: mul(x, 2) }), { x: spec([4]) });
  const executable = await backend.compile(graph);
  const x = hostArray([1, 2, 3, 4]);
  const { y } = await executable.run({ x });
  const before = (await y.read()).data.join();
  ((await ort.env.webgpu.device) as unknown as { destroy(): void }).destroy();
  const nameOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'done',
      (error: Error) => error.name,
    );
  const names = await Promise.all([executable.run({ x }), executable.run({ x }), y.read()].map(nameOf));
  names.push(await nameOf(backend.compile(graph)));
  y.dispose();
  await executable.dispose();
  await backend.dispose();
  return [before, ...names].join(' ');
}

const { document } = globalThis as unknown as { document: { title: string } };
document.title = await lose().catch((error: unknown) => `failed: ${String(error)}`);
