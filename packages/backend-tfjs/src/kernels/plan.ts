/** planKernels: a program as a schedule of tfjs kernels, one node after the other. */
import { reshaped, ScheduleBuilder, type Schedule } from '../schedule.js';
import type { Program, StorageId, StoredValue, Value } from '../program/program.js';
import { Emitter, type KernelSource } from './emitter.js';
import { repairs } from './repairs.js';
import { kernels } from './table.js';

/** Writes nodes by `table.ts`, and where the backend has an entry there, by `repairs.ts`. */
export const emitterFor = (schedule: ScheduleBuilder, source: KernelSource): Emitter =>
  new Emitter(schedule, source, kernels, repairs[source.tfjsName] ?? {});

/** @throws {BackendError} when a kernel is missing */
export function planKernels(program: Program, source: KernelSource): Schedule {
  const schedule = new ScheduleBuilder();
  const emitter = emitterFor(schedule, source);
  const placed = new Map<StorageId, StoredValue>();
  const at = <T extends Value>(value: T): T => {
    if (value.storage === undefined) return value;
    const { storage } = placed.get(value.storage)!;
    return { ...value, storage };
  };
  const placedOf = (values: readonly StoredValue[]): readonly StoredValue[] => values.map(at);
  for (const { value } of program.inputs) {
    if (value.storage !== undefined) placed.set(value.storage, schedule.value(value));
  }
  for (const { op, inputs, attributes, output } of program.nodes) {
    const result = emitter.node(op, placedOf(inputs), attributes as never, output);
    placed.set(output.storage, reshaped(result, output.shape));
  }
  const named = (list: Program['inputs']) => list.map(({ name, value }) => ({ name, value: at(value) }));
  return schedule.finish(named(program.inputs), named(program.outputs));
}
