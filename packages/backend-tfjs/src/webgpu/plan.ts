/** planWebgpu: a program as a schedule of generated kernels, and tfjs's for convolutions. */
import type { TensorType } from '@meanflow/core';
import type { KernelSource } from '../kernels/emitter.js';
import { emitterFor } from '../kernels/plan.js';
import type { Program, StorageId, StoredValue, Value } from '../program/program.js';
import { reshaped, ScheduleBuilder, type Schedule, type StepFunction } from '../schedule.js';
import type { FusionOptions } from '../options.js';
import { donatedOf, fuse, opsOf } from './fusion.js';
import type { KernelRunner } from './kernel-runner.js';
import { packScalars } from './pack-scalars.js';

/** @throws {BackendError} when a kernel is missing, or the device refuses one */
export async function planWebgpu(
  whole: Program,
  source: KernelSource,
  runner: KernelRunner,
  options: FusionOptions,
  isState: (name: string) => boolean,
): Promise<Schedule> {
  const { program, packed } = packScalars(whole, isState);
  const schedule = new ScheduleBuilder();
  const emitter = emitterFor(schedule, source);
  const placed = new Map<StorageId, StoredValue>();
  const compiling: Promise<void>[] = [];
  const at = <T extends Value>(value: T): T => {
    if (value.storage === undefined) return value;
    const { storage } = placed.get(value.storage)!;
    return { ...value, storage };
  };
  const placedOf = (values: readonly StoredValue[]): readonly StoredValue[] => values.map(at);
  for (const { name, value } of program.inputs) {
    if (value.storage !== undefined && !packed?.names.includes(name))
      placed.set(value.storage, schedule.value(value));
  }
  if (packed !== undefined)
    placed.set(packed.storage, schedule.value({ dtype: 'float32', shape: [packed.names.length] }));
  for (const unit of fuse(program, options, donatedOf(program, isState))) {
    if (unit.kind === 'node') {
      const { op, inputs, attributes, output } = unit.node;
      const result = emitter.node(op, placedOf(inputs), attributes as never, output);
      placed.set(output.storage, reshaped(result, output.shape));
      continue;
    }
    const { results } = unit.group;
    const values = results.map((result) => {
      const value = schedule.value(result);
      placed.set(result.storage, value);
      return value;
    });
    let run: StepFunction;
    compiling.push(
      runner.compile(unit.kernel, results as readonly TensorType[]).then((compiled) => {
        run = compiled;
      }),
    );
    const { reads, inPlace } = unit.kernel;
    const operands = [...reads, ...inPlace.map(({ value }) => value)].map(at);
    schedule.step(opsOf(unit), operands, values, (given) => run(given));
  }
  await Promise.all(compiling);
  const named = (list: Program['inputs']) => list.map(({ name, value }) => ({ name, value: at(value) }));
  const single = program.inputs.filter(({ name }) => !packed?.names.includes(name));
  const finished = schedule.finish(named(single), named(program.outputs));
  if (packed === undefined) return finished;
  return { ...finished, packed: { ...packed, storage: placed.get(packed.storage)!.storage } };
}
