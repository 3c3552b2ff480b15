/**
 * The foreign function interface that the native binding calls ONNX Runtime's library by: the package `koffi`, version 3, found
 * by who opens a backend in Node. It is optional, and no bundler sees the import.
 */
import { loadModule, type ModuleSource } from '@meanflow/core/backend';

/** An address in this process. */
export type Pointer = bigint;

/** A C function. `async` calls it on a thread of libuv's pool, and calls back on this one. */
export interface ForeignFunction {
  (...args: unknown[]): unknown;
  async(...args: unknown[]): void;
}

/** The part of koffi that is used. */
export interface Koffi {
  readonly version: string;
  config(settings: { readonly async_stack_size: number }): unknown;
  load(path: string): { func(definition: string): ForeignFunction };
  /** A function's type, which has no name: names are unique in a process, and this file may be loaded several times in one. */
  proto(result: string, parameters: readonly string[]): object;
  array(type: string, length: number): object;
  decode(from: Pointer, type: object): unknown;
  /** Where the memory of a typed array lies, which from then on stays there. */
  address(of: ArrayBufferView): Pointer;
}

/** Calls on other threads run on stacks of koffi's; its own 128 KiB are few for who loads a deep model. */
const STACK_BYTES = 2 ** 23;

// Typed as a string: a literal would be followed by bundlers, into a browser.
const name: string = 'koffi';
const installed = (): Promise<unknown> => import(/* webpackIgnore: true */ /* @vite-ignore */ name);

/**
 * @param source what is installed, by default
 * @throws {BackendError} when it is not there or another version, saying what to install
 */
export async function loadKoffi(source: ModuleSource = installed): Promise<Koffi> {
  const koffi = await loadModule(
    'koffi',
    source,
    isKoffi,
    'It is the package koffi, version 3: run `npm install koffi@3`.',
  );
  try {
    koffi.config({ async_stack_size: STACK_BYTES });
  } catch {
    // Who loads libraries with it already has settled that; what is configured later has no effect.
  }
  return koffi;
}

function isKoffi(value: unknown): value is Koffi {
  const { version, load, proto } = (value ?? {}) as Partial<Koffi>;
  return String(version).startsWith('3.') && typeof load === 'function' && typeof proto === 'function';
}
