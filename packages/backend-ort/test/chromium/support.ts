/** The programs of pages on ONNX Runtime. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { PageProgram } from '@meanflow/conformance/chromium';
import { ORT_FILES } from './files.js';

const ortFolder = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));

/** @param file beside this one */
export const pageProgram = (file: string): PageProgram => ({
  entry: new URL(file, import.meta.url),
  folders: { [ORT_FILES]: ortFolder },
  // ONNX Runtime then fetches its WebAssembly glue as a file, which its worker threads need, too.
  conditions: ['onnxruntime-web-use-extern-wasm'],
});

export const kit = pageProgram('./page.ts');
