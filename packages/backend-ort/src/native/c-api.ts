/**
 * ONNX Runtime's C API (`onnxruntime_c_api.h`): a table of function pointers that only ever grows, so that a function is known by
 * its place in it. Here are those that the binding calls, each with its place and parameters. A call that fails throws what
 * the runtime says; a call whose last parameter is where a result is written returns that result.
 */
import { BackendError } from '@meanflow/core';
import type { ForeignFunction, Koffi, Pointer } from './koffi.js';

/** The version of the table that is asked for: a later library has all of it. */
const API_VERSION = 30;

/** What a parameter is given as. */
interface Parameters {
  readonly pointer: Pointer | ArrayBufferView | null;
  readonly int: number;
  readonly size: number;
  readonly text: string;
  /** Text whose characters are as wide as in the platform's file names. */
  readonly path: string;
  /** Where a pointer is written; always the last parameter. */
  readonly out: Pointer;
}
type Kind = keyof Parameters;

const functions = {
  CreateEnv: [3, 'int', 'text', 'out'],
  CreateSessionFromArray: [8, 'pointer', 'pointer', 'size', 'pointer', 'out'],
  Run: [9, 'pointer', 'pointer', 'pointer', 'pointer', 'size', 'pointer', 'size', 'pointer'],
  CreateSessionOptions: [10, 'out'],
  SetOptimizedModelFilePath: [11, 'pointer', 'path'],
  SetSessionExecutionMode: [13, 'pointer', 'int'],
  EnableProfiling: [14, 'pointer', 'path'],
  DisableProfiling: [15, 'pointer'],
  EnableMemPattern: [16, 'pointer'],
  DisableMemPattern: [17, 'pointer'],
  EnableCpuMemArena: [18, 'pointer'],
  DisableCpuMemArena: [19, 'pointer'],
  SetSessionLogId: [20, 'pointer', 'text'],
  SetSessionLogVerbosityLevel: [21, 'pointer', 'int'],
  SetSessionLogSeverityLevel: [22, 'pointer', 'int'],
  SetSessionGraphOptimizationLevel: [23, 'pointer', 'int'],
  SetIntraOpNumThreads: [24, 'pointer', 'int'],
  SetInterOpNumThreads: [25, 'pointer', 'int'],
  CreateRunOptions: [39, 'out'],
  RunOptionsSetTerminate: [46, 'pointer'],
  CreateTensorAsOrtValue: [48, 'pointer', 'pointer', 'size', 'int', 'out'],
  CreateTensorWithDataAsOrtValue: [49, 'pointer', 'pointer', 'size', 'pointer', 'size', 'int', 'out'],
  CreateMemoryInfo: [68, 'text', 'int', 'int', 'int', 'out'],
  CreateCpuMemoryInfo: [69, 'int', 'int', 'out'],
  AddSessionConfigEntry: [130, 'pointer', 'text', 'text'],
  CreateAllocator: [131, 'pointer', 'pointer', 'out'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'pointer', 'pointer'],
  CreateCUDAProviderOptions: [205, 'out'],
  UpdateCUDAProviderOptions: [206, 'pointer', 'pointer', 'pointer', 'size'],
  AddExternalInitializers: [210, 'pointer', 'pointer', 'pointer', 'size'],
  RegisterCustomOpsLibrary_V2: [228, 'pointer', 'path'],
} as const satisfies Record<string, readonly [number, ...Kind[]]>;

/** Functions that take back what was made and cannot fail. */
const releases = {
  ReleaseStatus: 93,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseRunOptions: 97,
  ReleaseSessionOptions: 100,
  ReleaseAllocator: 132,
  ReleaseCUDAProviderOptions: 208,
} as const;

type ArgumentsOf<K extends readonly Kind[]> = K extends readonly [...infer Given extends Kind[], 'out']
  ? { readonly [I in keyof Given]: Parameters[Given[I]] }
  : { readonly [I in keyof K]: Parameters[K[I]] };
type ResultOf<K extends readonly Kind[]> = K extends readonly [...Kind[], 'out'] ? Pointer : void;

/** A function of the table. @throws {Error} with what the runtime says, when it fails */
interface Call<K extends readonly Kind[]> {
  (...args: ArgumentsOf<K>): ResultOf<K>;
  /** The same on another thread; whatever the arguments point to must stay until it is done. */
  async(...args: ArgumentsOf<K>): Promise<ResultOf<K>>;
}

/** The functions, by their names in the header. */
export type OrtApi = {
  readonly [N in keyof typeof functions]: (typeof functions)[N] extends readonly [
    number,
    ...infer K extends Kind[],
  ]
    ? Call<K>
    : never;
} & { readonly [N in keyof typeof releases]: (pointer: Pointer) => void } & {
  /** The library's version. */
  readonly version: string;
};

const longest = Math.max(...Object.values(functions).map(([place]) => place), ...Object.values(releases)) + 1;

/**
 * The table of a library.
 *
 * @param path of the library, such as `…/libonnxruntime.so.1`
 * @param isWindows whether file names have characters of two bytes
 * @throws {BackendError} when it is too old to have this version of the table
 */
export function openApi(koffi: Koffi, path: string, isWindows: boolean): OrtApi {
  const ctypes: Readonly<Record<Kind, string>> = {
    pointer: 'void *',
    int: 'int',
    size: 'size_t',
    text: 'str',
    path: isWindows ? 'str16' : 'str',
    out: '_Out_ void **',
  };
  const foreign = (at: Pointer, result: string, ...parameters: string[]): ForeignFunction =>
    koffi.decode(at, koffi.proto(result, parameters)) as ForeignFunction;
  const pointers = (at: Pointer, count: number) =>
    koffi.decode(at, koffi.array('void *', count)) as Pointer[];

  const base = koffi.load(path).func('void *OrtGetApiBase()')() as Pointer;
  const [getApi, getVersion] = pointers(base, 2) as [Pointer, Pointer];
  const version = foreign(getVersion, 'str')() as string;
  // Asked for more than it has, the library writes to standard error.
  const minor = Number(/^1\.(\d+)/.exec(version)?.[1]);
  const api =
    minor >= API_VERSION ? (foreign(getApi, 'void *', 'uint32_t')(API_VERSION) as Pointer | null) : null;
  if (api === null) {
    throw new BackendError(`ONNX Runtime 1.${API_VERSION} or newer is needed, found ${version} in ${path}.`);
  }
  const table = pointers(api, longest);
  const errorMessage = foreign(table[2]!, 'str', 'void *');
  const released = Object.fromEntries(
    Object.entries(releases).map(([name, place]) => [name, foreign(table[place]!, 'void', 'void *')]),
  );
  const check = (status: unknown): void => {
    if (status === null) return;
    const message = String(errorMessage(status));
    released.ReleaseStatus!(status);
    throw new Error(message);
  };

  const callOf = ([place, ...kinds]: readonly [number, ...Kind[]]): unknown => {
    const f = foreign(table[place]!, 'void *', ...kinds.map((kind) => ctypes[kind]));
    const written = kinds.at(-1) === 'out' ? () => [null] : () => undefined;
    return Object.assign(
      (...args: unknown[]): unknown => {
        const out = written();
        check(out === undefined ? f(...args) : f(...args, out));
        return out?.[0];
      },
      {
        async: (...args: unknown[]) =>
          new Promise((resolve, reject) => {
            const out = written();
            f.async(...args, ...(out === undefined ? [] : [out]), (failure: unknown, status: unknown) => {
              try {
                if (failure) throw failure as Error;
                check(status);
                resolve(out?.[0]);
              } catch (error) {
                reject(error as Error);
              }
            });
          }),
      },
    );
  };
  const called = Object.fromEntries(Object.entries(functions).map(([name, row]) => [name, callOf(row)]));
  return { version, ...called, ...released } as OrtApi;
}
