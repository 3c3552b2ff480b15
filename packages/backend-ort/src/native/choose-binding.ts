/** Which binding a backend takes, and why not the other. */
import { BackendError } from '@meanflow/core';
import { checkChoice } from '@meanflow/core/validation';
import { messageOf } from '@meanflow/core/backend';
import type { OrtBackendOptions, OrtDevice } from '../options.js';
import type { OrtModule } from '../runtime.js';
import { OrtLibrary } from './library.js';
import { unknownSetting, type SessionSettings } from './session-options.js';

export interface ChosenBinding {
  /** The library, when the native binding was chosen. */
  readonly library: OrtLibrary | undefined;
  /** What is to be added to the device's description. */
  readonly description: string;
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * @throws {ArgumentError} when there is no such binding
 * @throws {BackendError} when the native one is asked for and cannot be, saying why and what to do
 */
export async function chooseBinding(
  { binding: wanted = 'auto', koffi }: Pick<OrtBackendOptions, 'binding' | 'koffi'>,
  device: OrtDevice,
  runtime: OrtModule,
  settings: SessionSettings,
): Promise<ChosenBinding> {
  checkChoice('ortBackend: binding', wanted, ['auto', 'native', 'public']);
  if (wanted === 'native' && device !== 'cpu') {
    throw new BackendError(
      `The native binding is for the device "cpu"; for "${device}" take 'public' or 'auto'.`,
    );
  }
  // The other devices have one binding, of which nothing need be said.
  if (device !== 'cpu') return { library: undefined, description: '', versions: {} };
  if (wanted === 'public') return publicBinding('as asked');
  try {
    checkModule(runtime);
    checkSettings(settings);
    const library = await OrtLibrary.open(koffi);
    return { library, description: ', native binding', versions: { koffi: library.koffi.version } };
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

const publicBinding = (why: string): ChosenBinding => ({
  library: undefined,
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
