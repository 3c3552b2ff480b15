/**
 * OrtExecutable: one graph, one ONNX Runtime session. Runs are queued, one after the other. On WebGPU results stay in
 * GPU buffers, and the buffers of donated state are freed after the run. On the CPU a run reads
 * host arrays and earlier results where they lie; its results are fresh arrays, so that state alternates between two
 * sets of buffers and a failed run leaves the old state whole.
 */
import {
  ArgumentError,
  BackendError,
  DeviceLostError,
  DisposedError,
  HostArray,
  type DeviceArray,
  type DType,
  type Executable,
  type Graph,
  type RunInput,
  type RunOptions,
} from '@meanflow/core';
import { takeInputs } from '@meanflow/core/backend';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { bytesOf, OrtArray, type GpuHome, type HeldArrays } from './device-array.js';
import type { DeviceLoss } from './device-loss.js';
import type { Residency } from './devices.js';
import { inputName, outputName } from './lower-graph.js';
import type { GpuReader } from './reader.js';
import { Retained } from './retained.js';
import { explainRealm, messageOf, type OrtModule, type OrtSession } from './runtime.js';

/** What an executable has done since it was compiled. */
export interface RunCounters {
  readonly runs: number;
  /** Bytes of host arrays that runs took as inputs. State that stays on the device adds nothing. */
  readonly hostToDeviceBytes: number;
  /** Bytes copied to the host by `read()`. */
  readonly deviceToHostBytes: number;
}

/** An executable of this backend. */
export interface OrtExecutable extends Executable {
  readonly counters: RunCounters;
}

/** Where results of runs stay. */
export interface Placement {
  readonly residency: Residency;
  /** Reads from the GPU, where results stay there. */
  readonly reader: GpuReader | undefined;
  /** Counts the results that live. */
  readonly held: HeldArrays;
  /** Ends calls when the device goes away. */
  readonly loss: DeviceLoss;
}

export class SessionExecutable implements OrtExecutable {
  private queue: Promise<unknown> = Promise.resolve();
  private disposing: Promise<void> | undefined;
  private readonly released = new Retained(() =>
    this.placement.loss.unlessLost(() => this.session.release()),
  );
  private readonly home: GpuHome | undefined;
  private readonly counted = { runs: 0, hostToDeviceBytes: 0, deviceToHostBytes: 0 };

  constructor(
    private readonly ort: OrtModule,
    private readonly session: OrtSession,
    readonly graph: Graph,
    private readonly state: Readonly<Record<string, string>>,
    private readonly onDispose: () => void,
    private readonly placement: Placement,
  ) {
    const { reader } = placement;
    if (reader !== undefined) this.home = { reader, session: this.released };
  }

  get counters(): RunCounters {
    return { ...this.counted };
  }

  async run(
    inputs: Readonly<Record<string, RunInput>>,
    options: RunOptions = {},
  ): Promise<Record<string, DeviceArray>> {
    this.checkAlive();
    const given = takeInputs(this.graph, inputs, options);
    const result = this.queue.then(() => this.runNow(given, options));
    // The queue is only waited for: it must not keep the results of the latest run alive.
    this.queue = result.then(nothing, nothing);
    return result;
  }

  private async runNow(
    inputs: Readonly<Record<string, RunInput>>,
    { signal }: RunOptions,
  ): Promise<Record<string, DeviceArray>> {
    signal?.throwIfAborted();
    const feeds: Record<string, Tensor> = {};
    const releases: (() => void)[] = [];
    let uploaded = 0;
    let results: Record<string, DeviceArray>;
    try {
      for (const { name, value } of this.graph.inputs) {
        const input = inputs[name];
        if (input instanceof OrtArray) {
          const tensor = input.acquire();
          releases.push(() => input.release(tensor));
          feeds[inputName(name)] = tensor;
          if (this.placement.residency === 'copied') uploaded += bytesOf(input);
        } else {
          const array = hostInput(name, input, this.graph.types[value].dtype);
          feeds[inputName(name)] = new this.ort.Tensor(
            array.dtype as 'float32',
            array.data as Float32Array,
            array.shape,
          );
          uploaded += array.data.byteLength;
        }
      }
      results = await this.invoke(feeds);
    } finally {
      for (const release of releases) release();
    }
    this.counted.runs += 1;
    this.counted.hostToDeviceBytes += uploaded;
    if (this.placement.residency === 'copied') {
      for (const result of Object.values(results)) this.counted.deviceToHostBytes += bytesOf(result);
    }
    for (const name of Object.keys(this.state)) {
      const donated = inputs[name];
      if (!(donated instanceof HostArray)) donated.dispose();
    }
    return results;
  }

  /** Made once, here: a closure made in `invoke` would let each result keep all results of its run alive. */
  private readonly onRead = (bytes: number): void => {
    // What every run copies to the host is counted there.
    if (this.placement.residency !== 'copied') this.counted.deviceToHostBytes += bytes;
  };

  private async invoke(feeds: Record<string, Tensor>): Promise<Record<string, DeviceArray>> {
    let returned: InferenceSession.ReturnType;
    try {
      returned = await this.placement.loss.race(() => this.session.run(feeds));
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      const message = explainRealm(messageOf(error));
      throw new BackendError(`Running graph "${this.graph.name}" failed: ${message}`, { cause: error });
    }
    return Object.fromEntries(
      this.graph.outputs.map(({ name, value }) => [
        name,
        new OrtArray(
          returned[outputName(name)] as Tensor,
          this.graph.types[value],
          this.placement.held,
          this.onRead,
          this.home,
        ),
      ]),
    );
  }

  dispose(): Promise<void> {
    this.disposing ??= this.queue.then(async () => {
      this.onDispose();
      await this.released.close();
    });
    return this.disposing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  private checkAlive(): void {
    if (this.disposing !== undefined) {
      throw new DisposedError(`The executable of graph "${this.graph.name}" was disposed of.`);
    }
  }
}

const nothing = (): void => undefined;

function hostInput(name: string, input: RunInput, dtype: DType): HostArray {
  if (input instanceof HostArray) return input.to(dtype);
  throw new ArgumentError(
    `Input "${name}" is a device array of another backend; read() it and pass the host array.`,
  );
}
