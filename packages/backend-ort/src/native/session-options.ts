/**
 * OrtSessionOptions of the C API, from the options that the JavaScript bindings take: one setter for each, in a table, so that an
 * option that has none is found and not passed over.
 */
import { ArgumentError } from '@meanflow/core';
import { ownValue } from '@meanflow/core/validation';
import type { NativeOrtDevice } from '../options.js';
import type { OrtApi } from './c-api.js';
import { appendCuda, cudaEntries } from './cuda-provider.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';

/** Options by the names of onnxruntime-common's `InferenceSession.SessionOptions`. */
export type SessionSettings = Readonly<Record<string, unknown>>;

type Setter = (api: OrtApi, options: Pointer, value: unknown, all: SessionSettings) => void;

const optimizationLevels = { disabled: 0, basic: 1, extended: 2, layout: 3, all: 99 } as const;
const executionModes = { sequential: 0, parallel: 1 } as const;

const setters: Readonly<Record<string, Setter>> = {
  // Appended by itself: it depends on the device.
  executionProviders: () => undefined,
  graphOptimizationLevel: (api, options, value) =>
    api.SetSessionGraphOptimizationLevel(
      options,
      chosen('graphOptimizationLevel', value, optimizationLevels),
    ),
  executionMode: (api, options, value) =>
    api.SetSessionExecutionMode(options, chosen('executionMode', value, executionModes)),
  enableCpuMemArena: (api, options, value) =>
    (value === false ? api.DisableCpuMemArena : api.EnableCpuMemArena)(options),
  enableMemPattern: (api, options, value) =>
    (value === false ? api.DisableMemPattern : api.EnableMemPattern)(options),
  intraOpNumThreads: (api, options, value) => api.SetIntraOpNumThreads(options, Number(value)),
  interOpNumThreads: (api, options, value) => api.SetInterOpNumThreads(options, Number(value)),
  logId: (api, options, value) => api.SetSessionLogId(options, String(value)),
  logSeverityLevel: (api, options, value) => api.SetSessionLogSeverityLevel(options, Number(value)),
  logVerbosityLevel: (api, options, value) => api.SetSessionLogVerbosityLevel(options, Number(value)),
  enableProfiling: (api, options, value, { profileFilePrefix = 'onnxruntime_profile_' }) => {
    if (value === true) api.EnableProfiling(options, String(profileFilePrefix));
  },
  // With the setter above.
  profileFilePrefix: () => undefined,
  optimizedModelFilePath: (api, options, value) => api.SetOptimizedModelFilePath(options, String(value)),
  extra: (api, options, value) => {
    for (const [key, entry] of entriesOf(value)) api.AddSessionConfigEntry(options, key, entry);
  },
};

/** The first option that the native binding cannot set, if there is one. */
export function unknownSetting(settings: SessionSettings): string | undefined {
  return Object.keys(settings).find((name) => settings[name] !== undefined && !Object.hasOwn(setters, name));
}

/**
 * Session options, for as long as it takes to make a session with them.
 *
 * @param provider options of the device's provider, where the settings have none of that name
 * @throws {ArgumentError} naming an option that it cannot set
 */
export async function withSessionOptions<T>(
  library: OrtLibrary,
  device: NativeOrtDevice,
  provider: Readonly<Record<string, string>>,
  settings: SessionSettings,
  use: (options: Pointer) => Promise<T>,
): Promise<T> {
  const { api } = library;
  const entry = providerOf(device, settings.executionProviders);
  const options = api.CreateSessionOptions();
  try {
    if (device === 'cuda') appendCuda(library, options, cudaEntries(entry, provider));
    for (const [name, value] of Object.entries(settings)) {
      if (value === undefined) continue;
      const set = ownValue<Setter>(setters, name);
      if (set === undefined) {
        throw new ArgumentError(
          `The native binding has no session option "${name}"; it has: ${Object.keys(setters).join(', ')}. Take binding: 'public'.`,
        );
      }
      set(api, options, value, settings);
    }
    return await use(options);
  } finally {
    api.ReleaseSessionOptions(options);
  }
}

/** The entry of the one provider that a session has. @throws {ArgumentError} when others are asked for */
function providerOf(device: NativeOrtDevice, value: unknown = [device]): Readonly<Record<string, unknown>> {
  const entries = (Array.isArray(value) ? value : [value]).map((entry: unknown) =>
    typeof entry === 'object' && entry !== null ? { name: undefined, ...entry } : { name: entry },
  );
  const [first] = entries;
  if (first !== undefined && entries.length === 1 && first.name === device) return first;
  throw new ArgumentError(
    `sessionOptions.executionProviders of the native binding of ort:${device} is ['${device}'], got ${entries.map(({ name }) => String(name)).join(', ')}.`,
  );
}

function chosen(name: string, value: unknown, choices: Readonly<Record<string, number>>): number {
  const found = ownValue<number>(choices, String(value));
  if (found !== undefined) return found;
  throw new ArgumentError(
    `sessionOptions.${name} is one of ${Object.keys(choices).join(', ')}; got ${String(value)}.`,
  );
}

/** Nested entries under names joined by dots, as ONNX Runtime calls them: `session.intra_op.spin_duration_us`. */
function entriesOf(value: unknown, prefix = ''): (readonly [string, string])[] {
  return Object.entries(value as object).flatMap(([key, entry]: [string, unknown]) =>
    typeof entry === 'object' && entry !== null
      ? entriesOf(entry, `${prefix}${key}.`)
      : [[`${prefix}${key}`, String(entry)] as const],
  );
}
