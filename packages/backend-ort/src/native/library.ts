/**
 * OrtLibrary: the library that `onnxruntime-node` has loaded into this process, its C API and what all sessions share. It is found
 * among the process's libraries, so that both bindings are of one file, wherever the package keeps it.
 */
import { BackendError, type DType, type TensorType } from '@meanflow/core';
import type { ModuleSource } from '@meanflow/core/backend';
import type { Constants } from '../constants.js';
import { openApi, type OrtApi } from './c-api.js';
import { loadKoffi, type Koffi, type Pointer } from './koffi.js';

/** The part of Node's `process` that is looked at. */
interface NodeProcess {
  readonly platform: string;
  readonly report?: { excludeNetwork?: boolean; getReport(): object };
}

/** ONNXTensorElementDataType. */
const elementTypes: Readonly<Record<DType, number>> = { float32: 1, float16: 10, int32: 6, bool: 9 };
/** OrtLoggingLevel: no session says less than an error, and that is thrown. */
const FATAL = 4;
/** OrtArenaAllocator and OrtMemTypeDefault; memory that is given is not allocated from it. */
const [ARENA, DEFAULT_MEMORY] = [1, 0];

export class OrtLibrary {
  /** Shared by all sessions of the process, the other binding's included; it stays as long as the process. */
  readonly environment: Pointer;
  private readonly hostMemory: Pointer;

  private constructor(
    readonly koffi: Koffi,
    readonly api: OrtApi,
  ) {
    this.environment = api.CreateEnv(FATAL, 'meanflow');
    this.hostMemory = api.CreateCpuMemoryInfo(ARENA, DEFAULT_MEMORY);
  }

  private static opened: Promise<OrtLibrary> | undefined;

  /**
   * The library, once per process. To be called after `onnxruntime-node` was imported.
   *
   * @param koffi the module, or how to import it; what is installed, by default
   * @throws {BackendError} where it cannot be called: not in Node, without koffi, without the library
   */
  static open(koffi: ModuleSource | undefined): Promise<OrtLibrary> {
    return (this.opened ??= this.openNow(koffi).catch((error: unknown) => {
      // It may be installed in the meantime.
      this.opened = undefined;
      throw error;
    }));
  }

  private static async openNow(source: ModuleSource | undefined): Promise<OrtLibrary> {
    const { process } = globalThis as { readonly process?: NodeProcess };
    const path = libraryOf(process);
    const koffi = await loadKoffi(source);
    return new OrtLibrary(koffi, openApi(koffi, path, process?.platform === 'win32'));
  }

  /** An OrtValue over memory of ours, which must outlive it; to be released by `api.ReleaseValue`. */
  valueOver(memory: ArrayBufferView, { dtype, shape }: TensorType): Pointer {
    const dimensions = BigInt64Array.from(shape, BigInt);
    return this.api.CreateTensorWithDataAsOrtValue(
      this.hostMemory,
      memory,
      memory.byteLength,
      dimensions,
      shape.length,
      elementTypes[dtype],
    );
  }

  /** An OrtValue in memory of an allocator, which must outlive it. */
  valueOf(allocator: Pointer, { dtype, shape }: TensorType): Pointer {
    const dimensions = BigInt64Array.from(shape, BigInt);
    return this.api.CreateTensorAsOrtValue(allocator, dimensions, shape.length, elementTypes[dtype]);
  }

  /** OrtValues over constants, which must outlive them, by name. */
  valuesOver(constants: Constants): ReadonlyMap<string, Pointer> {
    const values = Object.entries(constants).map(([name, { elements, type }]) => {
      return [name, this.valueOver(elements, type)] as const;
    });
    return new Map(values);
  }
}

/** The path of ONNX Runtime's library among those that the process has loaded. */
function libraryOf(process: NodeProcess | undefined): string {
  const { report } = process ?? {};
  if (report === undefined) throw new BackendError('it is for Node.');
  // Otherwise the names of connected hosts are looked up.
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const { sharedObjects = [] } = report.getReport() as { readonly sharedObjects?: readonly string[] };
  if (before !== undefined) report.excludeNetwork = before;
  const found = sharedObjects.find((path) =>
    /[\\/](lib)?onnxruntime(\.dll|\.so[.\d]*|[.\d]*\.dylib)$/.test(path),
  );
  if (found !== undefined) return found;
  throw new BackendError(
    "onnxruntime-node's library is not loaded here: the native binding is for that package, and no other.",
  );
}
