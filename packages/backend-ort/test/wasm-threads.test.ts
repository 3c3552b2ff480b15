/** How many threads ONNX Runtime is told to take in WebAssembly, in Node and in pages. */
import { availableParallelism } from 'node:os';
import { ortBackend } from '../src/index.js';
import type { OrtModule } from '../src/runtime.js';
import { settleWasmThreads } from '../src/wasm-threads.js';

const web = await import('onnxruntime-web');
/** A runtime whose environment has a number, or none. */
const runtime = (numThreads?: number): OrtModule => ({ ...web, env: { ...web.env, wasm: { numThreads } } }); // prettier-ignore

test('all of the processor where nobody says a number; what is set, and what is asked for, comes before it', () => {
  for (const isolated of [{}, { crossOriginIsolated: true }]) {
    expect(settleWasmThreads(runtime(), undefined, isolated)).toBe(availableParallelism());
    expect(settleWasmThreads(runtime(0), undefined, isolated)).toBe(availableParallelism());
    expect(settleWasmThreads(runtime(3), undefined, isolated)).toBe(3);
    expect(settleWasmThreads(runtime(3), 5, isolated)).toBe(5);
  }
  const told = runtime();
  settleWasmThreads(told, 7, {});
  expect(told.env.wasm.numThreads).toBe(7);
});

test('one in a page that is not isolated, and more are refused', () => {
  const page = { crossOriginIsolated: false };
  expect(settleWasmThreads(runtime(), undefined, page)).toBe(1);
  expect(settleWasmThreads(runtime(4), undefined, page)).toBe(1);
  expect(settleWasmThreads(runtime(), 1, page)).toBe(1);
  expect(() => settleWasmThreads(runtime(), 2, page)).toThrow(/2 threads .*Cross-Origin-Opener-Policy/);
});

test('a backend says how many it has', async () => {
  const backend = await ortBackend({ ort: web, device: 'wasm', threads: 2 });
  expect(backend.describe().description).toMatch(/^WebAssembly on .+, 2 threads$/);
  expect(web.env.wasm.numThreads).toBe(2);
  await backend.dispose();
});
