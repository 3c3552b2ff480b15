/** The page of the harness's own tests: the reference interpreter, and one that has taken memory of WebAssembly. */
import { serveInPage } from '../../src/page.js';
import { referenceBackend } from '@meanflow/core';

const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: { Memory: new (descriptor: { initial: number }) => unknown };
};

serveInPage({
  reference: async () => referenceBackend(),
  'with memory': async () => Object.assign(referenceBackend(), { held: new wasm.Memory({ initial: 3 }) }),
});
