/** What a comparison and the processes that make its runs say to each other. */
import { HostArray } from '@meanflow/core';
import type { BeginProgress, Progress } from '@meanflow/training';
import type { RunConfig } from '../config/schema.js';
import type { PluginRequest } from '../plugins/load.js';
import type { FinishedRun } from './one-run.js';

/** To a worker. */
export type ToWorker =
  | {
      readonly kind: 'open';
      readonly backend: string;
      readonly threads: number;
      /** To be loaded before anything else. */
      readonly plugins: readonly PluginRequest[];
    }
  | {
      readonly kind: 'run';
      readonly config: RunConfig;
      readonly folder: string;
      readonly withPictures: boolean;
      readonly classifier: string | undefined;
    }
  | { readonly kind: 'stop' };

/** From a worker. */
export type FromWorker =
  | { readonly kind: 'beginning'; readonly progress: BeginProgress }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'notice'; readonly sentence: string }
  /** `result` is undefined when the run was stopped. */
  | { readonly kind: 'finished'; readonly result: FinishedRun | undefined }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly stack: string | undefined;
      /** Whether it is no error of ours: a bug. */
      readonly isBug: boolean;
    };

/** Gives host arrays that crossed a process border, which leaves only their fields, their class again. */
export function reviveArrays(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reviveArrays);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const { dtype, shape, data } = value as Partial<HostArray>;
  if (dtype !== undefined && shape !== undefined && ArrayBuffer.isView(data)) {
    return new HostArray(dtype, shape, data);
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, reviveArrays(child)]));
}
