/** Which binding a backend takes, and why not the other. */
import { BackendError } from '@meanflow/core';
import { checkChoice } from '@meanflow/core/validation';
import { messageOf } from '@meanflow/core/backend';
import type { OrtBackendOptions, OrtDevice } from '../options.js';
import type { OrtModule } from '../runtime.js';
import { kernelLibrary } from './kernel-library.js';
import { OrtLibrary } from './library.js';
import { unknownSetting, type SessionSettings } from './session-options.js';

export interface ChosenBinding {
  /** The library, when the native binding was chosen. */
  readonly library: OrtLibrary | undefined;
  /** With it, where the library of our own kernels is, when it is used. */
  readonly kernels: string | undefined;
  /** What is to be added to the device's description. */
  readonly description: string;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * @throws {ArgumentError} when there is no such binding
 * @throws {BackendError} when the native one is asked for and cannot be, saying why and what to do
 */
export async function chooseBinding(
  { binding: wanted = 'auto', koffi, kernels }: Pick<OrtBackendOptions, 'binding' | 'koffi' | 'kernels'>,
  device: OrtDevice,
  runtime: OrtModule,
  settings: SessionSettings,
): Promise<ChosenBinding> {
  checkChoice('ortBackend: binding', wanted, ['auto', 'native', 'public']);
  const isNative = device === 'cpu' || device === 'cuda';
  if (wanted === 'native' && !isNative) {
    throw new BackendError(
      `The native binding is for the devices "cpu" and "cuda"; for "${device}" take 'public' or 'auto'.`,
    );
  }
  // The other devices have one binding, of which nothing need be said.
  if (!isNative) return { library: undefined, kernels: undefined, description: '', versions: {} };
  if (wanted === 'public') return publicBinding('as asked');
  try {
    checkModule(runtime);
    checkSettings(settings);
    const library = await OrtLibrary.open(koffi);
    const own = device === 'cpu' ? chooseKernels(kernels, library) : NO_KERNELS;
    const description = `, native binding${own.description}`;
    return { library, kernels: own.path, description, versions: { koffi: library.koffi.version } };
  } catch (error) {
    if (wanted === 'auto') return publicBinding(messageOf(error));
    throw new BackendError(
      `The native binding of ort:${device} was asked for and cannot be: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** They are for the processor. */
const NO_KERNELS = { path: undefined, description: '' };

/** Our own kernels, where they are there and nobody asks for ONNX Runtime's alone. */
function chooseKernels(
  wanted: boolean | undefined,
  { koffi }: OrtLibrary,
): { readonly path: string | undefined; readonly description: string } {
  if (wanted === false) return { path: undefined, description: ' without own kernels (as asked)' };
  try {
    return { path: kernelLibrary(koffi), description: ' and own kernels' };
  } catch (error) {
    if (wanted === undefined) {
      return { path: undefined, description: ` without own kernels (${messageOf(error)})` };
    }
    throw new BackendError(`own kernels were asked for: ${messageOf(error)}`, { cause: error });
  }
}

const publicBinding = (why: string): ChosenBinding => ({
  library: undefined,
  kernels: undefined,
  description: `, public binding (${why})`,
  versions: {},
});

/** Who hands in something that stands for the runtime, to count or to replace its sessions, wants that to be used. */
function checkModule({ InferenceSession }: OrtModule): void {
  if (typeof InferenceSession === 'function') return;
  throw new BackendError('what was given as `ort` is not the module of onnxruntime-node, but stands for it.');
}

function checkSettings(settings: SessionSettings): void {
  const name = unknownSetting(settings);
  if (name === undefined) return;
  throw new BackendError(`the session option "${name}" is one of the public binding alone.`);
}
