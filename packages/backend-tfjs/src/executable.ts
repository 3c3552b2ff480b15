/**
 * TfjsExecutable: one graph, one schedule. Runs are queued, one after the other. A run owns one reference to the
 * storage of each input, and gives each storage back after the last step that reads it; a donated input is so freed in
 * the middle of the run, and its memory holds what comes after.
 */
import {
  ArgumentError,
  BackendError,
  DisposedError,
  formatType,
  hostArray,
  HostArray,
  type DeviceArray,
  type Executable,
  type Graph,
  type RunInput,
  type RunOptions,
} from '@meanflow/core';
import { takeInputs } from '@meanflow/core/backend';
import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import { TfjsArray } from './device-array.js';
import type { OpenDevice } from './devices.js';
import type { StorageId } from './program/program.js';
import { messageOf } from './runtime.js';
import type { Schedule, Step } from './schedule.js';

/** What an executable has done since it was compiled. */
export interface RunCounters {
  readonly runs: number;
  /** Kernels called; on WebGPU, those that dispatch. */
  readonly kernels: number;
  /** Bytes of host arrays that runs took as inputs. State that stays on the device adds nothing. */
  readonly hostToDeviceBytes: number;
  /** Bytes copied to the host by `read()`. */
  readonly deviceToHostBytes: number;
}

/** An executable of this backend. */
export interface TfjsExecutable extends Executable {
  readonly counters: RunCounters;
  /** What one run calls, in order: the kernels with the ops they compute. */
  readonly steps: readonly string[];
}

type Storages = (DataId | undefined)[];

export class ScheduleExecutable implements TfjsExecutable {
  private queue: Promise<unknown> = Promise.resolve();
  private disposing: Promise<void> | undefined;
  private readonly constants: readonly (readonly [StorageId, DataId])[];
  private readonly counted = { runs: 0, kernels: 0, hostToDeviceBytes: 0, deviceToHostBytes: 0 };

  constructor(
    private readonly device: OpenDevice,
    private readonly schedule: Schedule,
    readonly graph: Graph,
    private readonly state: Readonly<Record<string, string>>,
    private readonly onDispose: () => void,
  ) {
    this.constants = schedule.constants.map(({ storage, value }) => [storage, device.upload(value)]);
  }

  get counters(): RunCounters {
    return { ...this.counted };
  }

  get steps(): readonly string[] {
    return this.schedule.steps.map(({ label }) => label);
  }

  async run(
    inputs: Readonly<Record<string, RunInput>>,
    options: RunOptions = {},
  ): Promise<Record<string, DeviceArray>> {
    this.checkAlive();
    const given = takeInputs(this.graph, inputs, options);
    const result = this.queue.then(() => this.runNow(given, options));
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async runNow(
    inputs: Readonly<Record<string, RunInput>>,
    { signal }: RunOptions,
  ): Promise<Record<string, DeviceArray>> {
    signal?.throwIfAborted();
    await this.device.ready();
    const scalars = await this.packScalars(inputs);
    signal?.throwIfAborted();
    const storages: Storages = new Array(this.schedule.storages);
    for (const [storage, dataId] of this.constants) storages[storage] = dataId;
    const dispatches = this.device.dispatches ?? 0;
    try {
      this.load(inputs, scalars, storages);
      for (const step of this.schedule.steps) this.execute(step, storages);
      this.counted.kernels += (this.device.dispatches ?? this.schedule.steps.length) - dispatches;
      return this.results(storages);
    } catch (error) {
      this.releaseAll(storages);
      throw error;
    } finally {
      this.device.submit();
    }
  }

  /** Gives the run a reference to the storage of each input, and takes the donated ones from their arrays. */
  private load(
    inputs: Readonly<Record<string, RunInput>>,
    scalars: HostArray | undefined,
    storages: Storages,
  ): void {
    const { store } = this.device;
    const arrays = this.schedule.inputs.map(({ name }) => this.deviceArray(name, inputs[name]));
    const held = arrays.map((array) => array?.storage);
    for (const [i, { name, value }] of this.schedule.inputs.entries()) {
      if (value.storage === undefined || !this.isUsed(value.storage)) continue;
      const input = inputs[name];
      if (input instanceof HostArray) {
        storages[value.storage] = this.device.upload(input.to(value.dtype));
        this.counted.hostToDeviceBytes += input.size * (value.dtype === 'bool' ? 1 : 4);
      } else {
        store.incRef(held[i]!);
        storages[value.storage] = held[i];
      }
    }
    if (scalars !== undefined) {
      storages[this.schedule.packed!.storage] = this.device.upload(scalars);
      this.counted.hostToDeviceBytes += scalars.data.byteLength;
    }
    for (const name of Object.keys(this.state)) {
      const donated = inputs[name];
      if (!(donated instanceof HostArray)) donated.dispose();
    }
  }

  /** The scalars that go in one array. One that is on the device comes back for it. */
  private async packScalars(inputs: Readonly<Record<string, RunInput>>): Promise<HostArray | undefined> {
    const { packed } = this.schedule;
    if (packed === undefined) return undefined;
    const values = packed.names.map((name) => this.deviceArray(name, inputs[name])?.read() ?? inputs[name]);
    return hostArray((await Promise.all(values)).map((value) => (value as HostArray).item()));
  }

  private deviceArray(name: string, input: RunInput): TfjsArray | undefined {
    if (input instanceof HostArray) return undefined;
    if (input instanceof TfjsArray && input.device === this.device) return input;
    throw new ArgumentError(
      `Input "${name}" is a device array of another backend; read() it and pass the host array.`,
    );
  }

  private used: ReadonlySet<StorageId | undefined> | undefined;
  private isUsed(storage: StorageId): boolean {
    const { steps, outputs } = this.schedule;
    this.used ??= new Set([
      ...steps.flatMap((step) => step.inputs.map((input) => input.storage)),
      ...outputs.map(({ value }) => value.storage),
    ]);
    return this.used.has(storage);
  }

  private execute(step: Step, storages: Storages): void {
    const operands = step.inputs.map(
      ({ storage, shape, dtype }) => ({ dataId: storages[storage]!, shape, dtype }) as TensorInfo,
    );
    let results: readonly TensorInfo[];
    try {
      results = step.run(operands);
    } catch (error) {
      throw new BackendError(
        `Running ${step.label} of ${step.inputs.map(formatType).join(', ')} in graph "${this.graph.name}" failed ` +
          `on ${this.device.info.backend}: ${messageOf(error)}`,
        { cause: error },
      );
    }
    step.outputs.forEach((storage, i) => (storages[storage] = results[i].dataId));
    for (const storage of step.release) this.release(storages, storage);
  }

  private results(storages: Storages): Record<string, DeviceArray> {
    const { store } = this.device;
    const onRead = (bytes: number) => (this.counted.deviceToHostBytes += bytes);
    const results = this.schedule.outputs.map(({ name, value }): [string, DeviceArray] => {
      const dataId = value.storage === undefined ? undefined : storages[value.storage]!;
      if (dataId !== undefined) store.incRef(dataId);
      return [name, new TfjsArray(this.device, dataId, value, onRead)];
    });
    this.releaseAll(storages);
    this.counted.runs += 1;
    return Object.fromEntries(results);
  }

  private release(storages: Storages, storage: StorageId): void {
    this.device.store.disposeData(storages[storage]!);
    storages[storage] = undefined;
  }

  /** Drops what the run still holds, but for the constants, which are the executable's. */
  private releaseAll(storages: Storages): void {
    for (const [storage] of this.constants) storages[storage] = undefined;
    storages.forEach((dataId, storage) => dataId !== undefined && this.release(storages, storage));
  }

  dispose(): Promise<void> {
    this.disposing ??= this.queue.then(() => {
      this.onDispose();
      for (const [, dataId] of this.constants) this.device.store.disposeData(dataId);
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
