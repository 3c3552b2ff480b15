/**
 * Which package ONNX Runtime for Node comes from: a user's own `onnxruntime-node`, which may have CUDA, before the one of this
 * platform that `@meanflow/runs` brings. That has onnxruntime-node's files for one platform, a fifth of them all, and no install
 * script, which would download CUDA libraries; `scripts/pack/onnxruntime.mjs` makes it.
 */
import { BackendError } from '@meanflow/core';
import { settleOrtTelemetry } from '@meanflow/core/backend';
import type { OrtRuntime } from '@meanflow/metrics';
import { installedVersion } from './installed-version.js';

/** The version that `@meanflow/runs` brings, and that is advised. */
export const ORT_VERSION = '1.30.0';
/** As Node names platforms and processors; ONNX Runtime has binaries for no others. */
export const ORT_PLATFORMS: readonly string[] = [
  'linux-x64',
  'linux-arm64',
  'darwin-arm64',
  'win32-x64',
  'win32-arm64',
];

/** The part of ONNX Runtime's module for Node that is used. */
export interface OrtNodeModule extends OrtRuntime {
  listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[];
}

/** A package that holds ONNX Runtime. */
export interface OrtPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * The package that ONNX Runtime is loaded from.
 *
 * @param host platform and processor
 * @param versionOf the version of a package, where it is installed
 * @throws {BackendError} when there is none, saying what to install
 */
export function findOrtPackage(
  host: string = `${process.platform}-${process.arch}`,
  versionOf: (name: string) => string | undefined = (name) => installedVersion(name),
): OrtPackage {
  const brought = `@meanflow/onnxruntime-${host}`;
  for (const name of ['onnxruntime-node', brought]) {
    const version = versionOf(name);
    if (version !== undefined) return { name, version };
  }
  if (!ORT_PLATFORMS.includes(host)) {
    throw new BackendError(
      `ONNX Runtime ${ORT_VERSION} has no binaries for ${host}, only for ${ORT_PLATFORMS.join(', ')}. Choose the backend ort:wasm, ` +
        `which runs everywhere: \`npm install onnxruntime-web@${ORT_VERSION}\`.`,
    );
  }
  const libc = host.startsWith('linux') ? ', and where the C library is not glibc' : '';
  throw new BackendError(
    `ONNX Runtime is not installed: npm leaves out ${brought} with --omit=optional${libc}. Run ` +
      `\`npm install ${brought}@${ORT_VERSION}\`, or \`npm install onnxruntime-node@${ORT_VERSION} --ignore-scripts\`; or choose ` +
      `the backend ort:wasm, which runs everywhere: \`npm install onnxruntime-web@${ORT_VERSION}\`.`,
  );
}

/** ONNX Runtime for Node, which then sends nothing home. @throws {BackendError} when it is not installed or cannot start */
export async function loadOnnxRuntime(): Promise<OrtNodeModule> {
  settleOrtTelemetry();
  const { name, version } = findOrtPackage();
  try {
    return (await import(name)) as OrtNodeModule;
  } catch (error) {
    throw new BackendError(`${name} ${version} cannot be loaded: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/**
 * What ONNX Runtime's library is called by: a user's own `koffi`, before the one of this platform that `@meanflow/runs` brings,
 * which is the same module without an install script.
 *
 * @throws {Error} when neither is installed
 */
export function loadKoffi(): Promise<unknown> {
  const name =
    installedVersion('koffi') === undefined ? `@koromix/koffi-${process.platform}-${process.arch}` : 'koffi';
  return import(name);
}
