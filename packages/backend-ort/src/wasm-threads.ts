/**
 * How many threads ONNX Runtime takes in WebAssembly. It reads the number from its environment when it makes its first session, and by
 * itself takes half of the processor's threads, four at most. A page has threads only where it is isolated from other origins.
 */
import { BackendError } from '@meanflow/core';
import { hostProcessor, type OrtModule } from './runtime.js';

interface Page {
  readonly crossOriginIsolated?: boolean;
}

/**
 * Settles the number: what is asked for, else what the caller has set, else as many as the processor runs at once where there may
 * be threads.
 *
 * @returns the number
 * @throws {BackendError} when more than one is asked for in a page that has none
 */
export function settleWasmThreads(
  { env: { wasm } }: OrtModule,
  asked: number | undefined,
  { crossOriginIsolated }: Page = globalThis as Page,
): number {
  // Node has no such property, and has threads.
  const mayThread = crossOriginIsolated !== false;
  if (!mayThread && asked !== undefined && asked > 1) {
    throw new BackendError(
      `${asked} threads were asked for, but this page has none in WebAssembly: it is not isolated from other origins. Serve it with the ` +
        'headers `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`, or leave `threads` out.',
    );
  }
  // Zero is ONNX Runtime's word for its own choice.
  const chosen = asked ?? (wasm.numThreads || hostProcessor().parallelism);
  return (wasm.numThreads = mayThread ? chosen : 1);
}
