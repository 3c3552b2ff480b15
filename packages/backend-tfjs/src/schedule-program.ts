/**
 * ScheduleProgram: one graph, one schedule. A run owns one reference to the storage of each input, and gives each storage
 * back after the last step that reads it; a donated input is so freed in the middle of the run, and its memory holds what
 * comes after.
 */
import { BackendError, hostArray, HostArray, type Graph } from '@meanflow/core';
import { formatType } from '@meanflow/core/validation';
import { messageOf, type DeviceProgram, type RunControl, type Transfers } from '@meanflow/core/backend';
import type { DataId, TensorInfo } from '@tensorflow/tfjs-core';
import type { OpenDevice } from './devices.js';
import type { StorageId } from './program/program.js';
import type { Schedule, Step } from './schedule.js';

/** What an array holds: a storage of the tfjs backend, of which it owns one reference; none without elements. */
export type Storage = DataId | undefined;

type Given = ReadonlyMap<string, HostArray | Storage>;
type Storages = Storage[];

export class ScheduleProgram implements DeviceProgram<Storage> {
  /** Kernels called since it was compiled; on WebGPU, those that dispatch. */
  kernels = 0;
  /** Times that its runs handed what they recorded to the device. */
  submits = 0;
  private readonly constants: readonly (readonly [StorageId, DataId])[];
  private readonly used: ReadonlySet<StorageId | undefined>;

  constructor(
    private readonly device: OpenDevice,
    private readonly schedule: Schedule,
    private readonly graph: Graph,
  ) {
    const { constants, steps, outputs } = schedule;
    this.constants = constants.map(({ storage, value, dtype }) => [storage, device.upload(value, dtype)]);
    this.used = new Set([
      ...steps.flatMap((step) => step.inputs.map((input) => input.storage)),
      ...outputs.map(({ value }) => value.storage),
    ]);
  }

  /** What one run calls, in order: the kernels with the ops they compute. */
  get steps(): readonly string[] {
    return this.schedule.steps.map(({ label }) => label);
  }

  /** Bytes that the kernels of one run read and write. */
  get bytesPerRun(): number {
    return this.schedule.steps.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async run(
    inputs: readonly (HostArray | Storage)[],
    { signal, donate, moved }: RunControl,
  ): Promise<readonly Storage[]> {
    const given: Given = new Map(this.graph.inputs.map(({ name }, i) => [name, inputs[i]]));
    await this.device.ready();
    const scalars = await this.packScalars(given, moved);
    signal?.throwIfAborted();
    const storages: Storages = new Array<Storage>(this.schedule.storages);
    for (const [storage, dataId] of this.constants) storages[storage] = dataId;
    const { dispatches = 0, submits = 0 } = this.device;
    try {
      this.load(given, scalars, storages);
      donate();
      for (const step of this.schedule.steps) this.execute(step, storages);
      this.kernels += (this.device.dispatches ?? this.schedule.steps.length) - dispatches;
      return this.results(storages);
    } finally {
      this.releaseAll(storages);
      this.device.submit();
      this.submits += (this.device.submits ?? 0) - submits;
    }
  }

  /** Gives the run a reference to the storage of each input. */
  private load(given: Given, scalars: HostArray | undefined, storages: Storages): void {
    for (const { name, value } of this.schedule.inputs) {
      if (value.storage === undefined || !this.used.has(value.storage)) continue;
      const input = given.get(name);
      if (input instanceof HostArray) storages[value.storage] = this.device.upload(input, value.dtype);
      else if (input !== undefined) {
        this.device.store.incRef(input);
        storages[value.storage] = input;
      }
    }
    const { packed } = this.schedule;
    if (scalars !== undefined && packed !== undefined)
      storages[packed.storage] = this.device.upload(scalars, 'float32');
  }

  /** The scalars that go in one array. One that is on the device comes back for it. */
  private async packScalars(given: Given, moved: Transfers): Promise<HostArray | undefined> {
    const { packed } = this.schedule;
    if (packed === undefined) return undefined;
    const values = packed.names.map(async (name) => {
      const input = given.get(name);
      if (input instanceof HostArray) return input.item();
      const [value] = await this.device.read(input!);
      moved.deviceToHostBytes += 4;
      moved.hostToDeviceBytes += 4;
      return Number(value);
    });
    return hostArray(await Promise.all(values));
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
    step.outputs.forEach((storage, i) => (storages[storage] = results[i]!.dataId));
    for (const storage of step.release) this.release(storages, storage);
  }

  /** A reference of its own for each output. */
  private results(storages: Storages): Storage[] {
    return this.schedule.outputs.map(({ value: { storage } }) => {
      const dataId = storage === undefined ? undefined : storages[storage];
      if (dataId !== undefined) this.device.store.incRef(dataId);
      return dataId;
    });
  }

  private release(storages: Storages, storage: StorageId): void {
    this.device.store.disposeData(storages[storage]!);
    storages[storage] = undefined;
  }

  /** Drops what the run still holds, but for the constants, which are the program's. */
  private releaseAll(storages: Storages): void {
    for (const [storage] of this.constants) storages[storage] = undefined;
    storages.forEach((dataId, storage) => dataId !== undefined && this.release(storages, storage));
  }

  dispose(): void {
    for (const [, dataId] of this.constants) this.device.store.disposeData(dataId);
  }
}
