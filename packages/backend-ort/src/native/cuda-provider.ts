/** The CUDA provider of a session, with all of its options: only the C interface takes more than the number of the GPU. */
import { ArgumentError } from '@meanflow/core';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { namesOf } from './names.js';

/**
 * Options where the caller does not say otherwise.
 *
 * - Memory is taken from the GPU as it is needed: by default the arena takes the next power of two.
 * - cuDNN's algorithms are those that it chooses by shape. By default all are tried in the first run, and which is the fastest, and so
 *   the last bits of results, may differ from one process to the next.
 *
 * @param tf32 whether products may round their operands
 */
export const cudaDefaults = (tf32: boolean): Readonly<Record<string, string>> => ({
  use_tf32: tf32 ? '1' : '0',
  arena_extend_strategy: 'kSameAsRequested',
  cudnn_conv_algo_search: 'HEURISTIC',
});

/**
 * The provider's options, by its own names, from an entry of `executionProviders`: `deviceId`, and whatever else it has.
 *
 * @throws {ArgumentError} when a value is no text, number or boolean
 */
export function cudaEntries(
  entry: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { name: _, deviceId = 0, ...others } = entry;
  const entries = Object.entries({ device_id: deviceId, ...defaults, ...others });
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, textOf(key, value)]])),
  );
}

function textOf(key: string, value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new ArgumentError(
    `sessionOptions.executionProviders: the option "${key}" of cuda is a text, a number or a boolean, got ${typeof value}.`,
  );
}

/** @throws {Error} with what the runtime says, when a library that the provider is made of or needs is missing, or an option is none */
export function appendCuda(
  { api, koffi }: OrtLibrary,
  options: Pointer,
  entries: Readonly<Record<string, string>>,
): void {
  const provider = api.CreateCUDAProviderOptions();
  try {
    const [names, values] = [namesOf(koffi, Object.keys(entries)), namesOf(koffi, Object.values(entries))];
    // It loads the libraries, and unlike what follows says which is missing.
    api.UpdateCUDAProviderOptions(provider, names.places, values.places, names.places.length);
    api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, provider);
  } finally {
    api.ReleaseCUDAProviderOptions(provider);
  }
}
