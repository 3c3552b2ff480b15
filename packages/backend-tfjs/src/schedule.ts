/**
 * Schedule: what one run does, settled when the graph is compiled: which kernel runs on which storages, in which order,
 * and after which step each storage is given back. A run only walks it.
 */
import { sizeOf, type DType, type HostArray, type Shape, type TensorType } from '@meanflow/core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { NamedProgramValue, StorageId, StoredValue } from './program/program.js';

/** Runs a kernel. Results take their storage from what it returns. */
export type StepFunction = (inputs: readonly TensorInfo[]) => readonly TensorInfo[];

export interface Step {
  /** The kernel, and the op that asked for it, as it stands in errors. */
  readonly label: string;
  readonly inputs: readonly StoredValue[];
  readonly outputs: readonly StorageId[];
  readonly run: StepFunction;
  /** Bytes of its operands, each once, and of its results. */
  readonly bytes: number;
  /** Storages that no later step reads and no output holds. */
  readonly release: readonly StorageId[];
}

export interface StoredConstant {
  readonly storage: StorageId;
  readonly value: HostArray;
  /** As it is stored. */
  readonly dtype: DType;
}

export interface Schedule {
  /** Float scalars that are passed to the device in one array, by input name; the other inputs are in `inputs`. */
  readonly packed?: { readonly storage: StorageId; readonly names: readonly string[] };
  readonly inputs: readonly NamedProgramValue[];
  /** Filled once, when the schedule is loaded. */
  readonly constants: readonly StoredConstant[];
  readonly steps: readonly Step[];
  readonly outputs: readonly NamedProgramValue[];
  readonly storages: number;
}

/** Bytes of values on a device, where every element takes four, and two in float16; views of one storage count once. */
export function bytesBound(values: readonly StoredValue[]): number {
  const sizes = new Map(
    values.map(({ storage, shape, dtype }) => [storage, (dtype === 'float16' ? 2 : 4) * sizeOf(shape)]),
  );
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Writes a schedule. */
export class ScheduleBuilder {
  private readonly steps: Omit<Step, 'release'>[] = [];
  private readonly constants: StoredConstant[] = [];
  private readonly known = new Map<string, StoredValue>();
  private readonly scalars = new Map<StorageId, number>();
  private storages = 0;

  value(type: TensorType): StoredValue {
    return { dtype: type.dtype, shape: type.shape, storage: this.storages++ };
  }

  /** A constant, uploaded once; equal small ones are one. */
  constant(value: HostArray, dtype = value.dtype as DType): StoredValue {
    const key =
      value.size <= 64
        ? `${dtype} ${value} ${Array.from(value.data, (x) => (Object.is(x, -0) ? '-0' : x)).join()}`
        : '';
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const result = this.value({ dtype, shape: value.shape });
    this.constants.push({ storage: result.storage, value, dtype });
    if (key !== '') this.known.set(key, result);
    if (value.size === 1) this.scalars.set(result.storage, value.data[0]!);
    return result;
  }

  /** The number that a storage is known to hold, where it holds only one. */
  knownScalar(storage: StorageId): number | undefined {
    return this.scalars.get(storage);
  }

  step(
    label: string,
    inputs: readonly StoredValue[],
    outputs: readonly StoredValue[],
    run: StepFunction,
  ): void {
    const bytes = bytesBound([...inputs, ...outputs]);
    this.steps.push({ label, inputs, outputs: outputs.map(({ storage }) => storage), run, bytes });
  }

  finish(inputs: readonly NamedProgramValue[], outputs: readonly NamedProgramValue[]): Schedule {
    const kept = new Set<StorageId | undefined>(outputs.map(({ value }) => value.storage));
    for (const { storage } of this.constants) kept.add(storage);
    const steps: Step[] = [];
    for (const step of [...this.steps].reverse()) {
      const release: StorageId[] = [];
      for (const storage of [...step.outputs, ...step.inputs.map((input) => input.storage)]) {
        if (kept.has(storage)) continue;
        kept.add(storage);
        release.push(storage);
      }
      steps.push({ ...step, release });
    }
    return { inputs, constants: this.constants, steps: steps.reverse(), outputs, storages: this.storages };
  }
}

/** A view of the same storage under another shape. */
export const reshaped = (value: StoredValue, shape: Shape): StoredValue => ({ ...value, shape });
