/**
 * The parts of tfjs that the backend uses. Kernels are called directly on a tfjs backend's storage, not through tfjs's
 * engine: nothing is recorded, tidied or chosen by global state, and several tfjs backends work side by side.
 */
import { loadModule, type ModuleSource } from '@meanflow/core/backend';
import type { BackendValues, DataId, DataType, KernelConfig } from '@tensorflow/tfjs-core';

/** The part of `@tensorflow/tfjs-core` that the backend uses. */
export interface TfModule {
  getKernel(kernel: string, backend: string): KernelConfig | null | undefined;
  getKernelsForBackend(backend: string): KernelConfig[];
  setBackend(name: string): Promise<boolean>;
  findBackendFactory(name: string): unknown;
  engine(): { readonly backendName: string; readonly registry: Readonly<Record<string, unknown>> };
  readonly version_core: string;
}

/** The part of a tfjs backend that the executable uses: storages counted by reference. */
export interface TensorStore {
  write(values: BackendValues, shape: number[], dtype: DataType): DataId;
  read(dataId: DataId): Promise<BackendValues>;
  incRef(dataId: DataId): void;
  /** Drops one reference; frees the storage with the last. */
  disposeData(dataId: DataId): boolean;
  numDataIds(): number;
}

const INSTALL =
  'Install it beside this package (`npm install @tensorflow/tfjs-core@4.22`) and pass ' +
  "`() => import('@tensorflow/tfjs-core')` as `tf`.";

/** @throws {BackendError} when it is not tfjs-core */
export const loadTf = (source: ModuleSource): Promise<TfModule> =>
  loadModule('@tensorflow/tfjs-core', source, isTf, INSTALL);

function isTf(value: unknown): value is TfModule {
  const candidate = value as Partial<TfModule> | null | undefined;
  return (
    typeof candidate?.getKernel === 'function' &&
    typeof candidate.setBackend === 'function' &&
    typeof candidate.engine === 'function'
  );
}
