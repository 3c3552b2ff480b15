/**
 * The ONNX Runtime that the backend is given: `onnxruntime-node` or `onnxruntime-web`, which share one API. This file
 * loads it, says what it and the host are, and turns its absence into an error that says what to install.
 */
import { loadModule, type ModuleSource } from '@meanflow/core/backend';
import type { Env, InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-common';

/** The part of a session that the backend uses. */
export interface OrtSession {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<InferenceSession.ReturnType>;
  release(): Promise<void>;
}

/** The part of an ONNX Runtime package that the backend uses. */
export interface OrtModule {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<OrtSession>;
  };
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/**
 * @param help what to install for the device that is asked for
 * @throws {BackendError} when it cannot be imported or is something else, saying what to install
 */
export const loadRuntime = (source: ModuleSource, help: string): Promise<OrtModule> =>
  loadModule(
    'ONNX Runtime',
    source,
    isRuntime,
    `It is a module with InferenceSession, Tensor and env. ${help}`,
  );

function isRuntime(value: unknown): value is OrtModule {
  const candidate = value as Partial<OrtModule> | null | undefined;
  return (
    typeof candidate?.InferenceSession?.create === 'function' &&
    typeof candidate.Tensor === 'function' &&
    typeof candidate.env === 'object'
  );
}

/** Versions of the runtime's packages, by name. */
export function runtimeVersions({ env }: OrtModule): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [name, version] of Object.entries(env.versions)) {
    if (typeof version === 'string') versions[`onnxruntime-${name}`] = version;
  }
  return versions;
}

interface NodeOs {
  cpus(): readonly { readonly model: string }[];
  availableParallelism(): number;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: 'node:os'): NodeOs | undefined };
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

/** The processor's name and the number of threads that run at once on it, in Node and in browsers. */
export function hostProcessor(): { readonly model: string; readonly parallelism: number } {
  const host = globalThis as Host;
  const os = host.process?.getBuiltinModule?.('node:os');
  if (os !== undefined) {
    return {
      model: os.cpus()[0]?.model.trim() || 'unknown processor',
      parallelism: os.availableParallelism(),
    };
  }
  return {
    model: 'a processor that the browser does not name',
    parallelism: host.navigator?.hardwareConcurrency ?? 1,
  };
}
