/** The page's program as files for a browser: this package, the kit and the backends, with their libraries. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Files by name; the first is the entry. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

/** The program's entry: beside this file, and like it built or source. */
const entry = fileURLToPath(import.meta.url).replace(/bundle(?=\.\w+$)/, 'page/main');

/** The file to load. */
export const ENTRY = 'main.js';

/**
 * Bundles the program, from what is installed now.
 *
 * @param from another program's entry
 */
export async function bundlePage(from = entry): Promise<Bundle> {
  const { outputFiles } = await build({
    entryPoints: { [basename(ENTRY, '.js')]: from },
    outdir: 'page',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    // ONNX Runtime then fetches its WebAssembly glue as a file, which its worker threads need, too.
    conditions: ['onnxruntime-web-use-extern-wasm', ...(entry.endsWith('.ts') ? ['@meanflow/source'] : [])],
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}
