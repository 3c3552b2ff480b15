/** The page's program as files for a browser: the caller's entry with the kit, its backends and their libraries. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackendError } from '@meanflow/core';
import { peer } from './peer.js';

/** A program that calls `serveInPage`, and what it needs. */
export interface PageProgram {
  /** Its entry, TypeScript or JavaScript, such as `new URL('./page.js', import.meta.url)`. */
  readonly entry: URL;
  /** Folders whose `.wasm` and `.mjs` files the page may fetch, by the path under which it asks for them: `'/name/'`. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Further conditions of `package.json` exports under which its imports are found. */
  readonly conditions?: readonly string[];
}

/** Files by name; the first is the entry. */
export type Bundle = ReadonlyMap<string, Uint8Array>;

/** The file to load. */
export const ENTRY = 'main.js';

/**
 * Bundles a program, from what is installed now.
 *
 * @throws {BackendError} when esbuild is missing, or something that the program imports
 */
export async function bundlePage({ entry, conditions = [] }: PageProgram): Promise<Bundle> {
  const { build } = await peer('esbuild', () => import('esbuild'));
  const path = fileURLToPath(entry);
  try {
    const { outputFiles } = await build({
      entryPoints: { [basename(ENTRY, '.js')]: path },
      outdir: 'page',
      write: false,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2023',
      conditions: [...conditions, ...(path.endsWith('.ts') ? ['@meanflow/source'] : [])],
      logLevel: 'silent',
    });
    return new Map(outputFiles.map(({ path: file, contents }) => [basename(file), contents]));
  } catch (error) {
    throw new BackendError(`The page ${path} cannot be bundled: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
