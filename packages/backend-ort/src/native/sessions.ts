/** Sessions: how sessions of the C API are made for one device, on another thread. */
import { ArgumentError, BackendError } from '@meanflow/core';
import { messageOf } from '@meanflow/core/backend';
import { inputName } from '../lower-graph.js';
import type { NativeOrtDevice } from '../options.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { namesOf } from './names.js';
import { withSessionOptions, type SessionSettings } from './session-options.js';

export class Sessions {
  /**
   * @param provider options of the device's provider, where the settings do not say otherwise
   * @param kernels where the library of our own kernels is, if it is used
   * @param explain what is to be said of an error of the runtime's
   */
  constructor(
    private readonly library: OrtLibrary,
    private readonly device: NativeOrtDevice,
    private readonly settings: SessionSettings,
    private readonly provider: Readonly<Record<string, string>>,
    private readonly kernels: string | undefined,
    private readonly explain: (message: string) => string,
  ) {}

  /**
   * @param initializers values, by the names of inputs, to be read where they lie as initializers of the model
   * @throws {BackendError} beginning with `failure`
   * @throws {ArgumentError} naming a setting that is none
   */
  async open(
    model: Uint8Array,
    failure: string,
    graphOptimizationLevel: 'all' | 'disabled' = 'all',
    initializers: ReadonlyMap<string, Pointer> = new Map(),
  ): Promise<Pointer> {
    const { api, environment } = this.library;
    const settings = { graphOptimizationLevel, ...this.settings };
    try {
      return await withSessionOptions(this.library, this.device, this.provider, settings, (options) => {
        if (this.kernels !== undefined) api.RegisterCustomOpsLibrary_V2(options, this.kernels);
        if (initializers.size > 0) giveInitializers(this.library, options, initializers);
        return api.CreateSessionFromArray.async(environment, model, model.byteLength, options);
      });
    } catch (error) {
      if (error instanceof ArgumentError) throw error;
      throw new BackendError(`${failure}: ${this.explain(messageOf(error))}`, { cause: error });
    }
  }
}

/** Puts values, by the names of inputs, in the place of a model's initializers; their memory is read where it lies. */
function giveInitializers(
  { api, koffi }: OrtLibrary,
  options: Pointer,
  initializers: ReadonlyMap<string, Pointer>,
): void {
  const names = namesOf(koffi, [...initializers.keys()].map(inputName));
  const values = BigUint64Array.from(initializers.values());
  api.AddExternalInitializers(options, names.places, values, values.length);
}
