/**
 * Emitter: writes program nodes as tfjs kernel calls. Each node goes to the device's own form where it has one, else to the
 * kernel that all tfjs backends share.
 */
import {
  BackendError,
  hostArray,
  sameShape,
  hostDTypeOf,
  type DType,
  type HostDType,
  type Shape,
  type TensorType,
} from '@meanflow/core';
import type { Each } from '@meanflow/core/backend';
import type { KernelFunc, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { NodeAttributes, NodeInputs, NodeName, StoredValue } from '../program/program.js';
import { reshaped, type ScheduleBuilder } from '../schedule.js';
import type { TensorStore } from '../runtime.js';

export interface EmitContext<K extends NodeName> {
  readonly emitter: Emitter;
  readonly inputs: NodeInputs<K>;
  readonly attributes: NodeAttributes[K];
  readonly output: TensorType;
}

/** How a node is computed with tfjs kernels. */
export type Emit<K extends NodeName> = (context: EmitContext<K>) => StoredValue;

/** One entry per node: leaving one out does not compile. */
export type NodeKernels = { readonly [K in NodeName]: Emit<K> };

/** What one tfjs backend has instead of the shared kernels. */
export type DeviceRepairs = { readonly [K in NodeName]?: Emit<K> };

/** Kernels of one tfjs backend. */
export interface KernelSource {
  /** The backend's name within tfjs. */
  readonly tfjsName: string;
  find(kernel: string): KernelFunc | undefined;
  /** What the kernels run on. */
  readonly backend: TensorStore;
}

/** Kernel operands, under the names that the kernel knows them by; some kernels take a list. */
export type KernelInputs = Readonly<Record<string, StoredValue>> | readonly StoredValue[];

export class Emitter {
  /** The node being written, for errors. */
  private context = '';

  constructor(
    readonly schedule: ScheduleBuilder,
    private readonly source: KernelSource,
    private readonly shared: NodeKernels,
    private readonly repairs: DeviceRepairs,
  ) {}

  get store(): TensorStore {
    return this.source.backend;
  }

  get tfjsName(): string {
    return this.source.tfjsName;
  }

  /** Writes a node in whatever way this device has. */
  node<K extends NodeName>(
    op: K,
    inputs: NodeInputs<K>,
    attributes: NodeAttributes[K],
    output: TensorType,
  ): StoredValue {
    const outer = this.context;
    this.context ||= op;
    const emit = (this.repairs[op] ?? this.shared[op]) as Emit<K>;
    const result = emit({ emitter: this, inputs, attributes, output });
    this.context = outer;
    return sameShape(result.shape, output.shape) ? result : reshaped(result, output.shape);
  }

  /** Writes a node as the shared table has it, whatever the device's repairs. */
  plain<K extends NodeName>(
    op: K,
    { inputs, attributes, output }: Omit<EmitContext<K>, 'emitter'>,
  ): StoredValue {
    return (this.shared[op] as Emit<K>)({ emitter: this, inputs, attributes, output });
  }

  /** Calls a tfjs kernel. @throws {BackendError} when the backend has none of that name */
  kernel(name: string, inputs: KernelInputs, output: TensorType, attrs: object = {}): StoredValue {
    const run = this.source.find(name);
    if (run === undefined) {
      throw new BackendError(
        `${this.context}: tfjs's ${this.tfjsName} backend has no kernel "${name}". ` +
          'Update its package, or run this graph on another backend.',
      );
    }
    const { backend } = this.source;
    const result = this.schedule.value(output);
    const operands = Object.values(inputs) as StoredValue[];
    const names = Array.isArray(inputs) ? undefined : Object.keys(inputs);
    this.step(name, operands, result, (given) => {
      const named = names === undefined ? given : Object.fromEntries(names.map((key, i) => [key, given[i]]));
      return run({ inputs: named as never, attrs: attrs as NamedAttrMap, backend }) as TensorInfo;
    });
    return result;
  }

  /** Adds a step that computes one result. */
  step<const Inputs extends readonly StoredValue[]>(
    name: string,
    inputs: Inputs,
    result: StoredValue,
    run: (inputs: Each<Inputs, TensorInfo>) => TensorInfo,
  ): void {
    const label = this.context === name ? name : `${this.context} (${name})`;
    this.schedule.step(label, inputs, [result], (given) => [run(given as Each<Inputs, TensorInfo>)]);
  }

  /** Another holder of the same storage. */
  share(tensor: TensorInfo): TensorInfo {
    this.source.backend.incRef(tensor.dataId);
    return tensor;
  }

  scalar(value: number, dtype: DType = 'float32'): StoredValue {
    return this.schedule.constant(hostArray<HostDType>(value, { dtype: hostDTypeOf(dtype) }));
  }

  /** The operand repeated to a shape; a node of its own only where it is not of that shape already. */
  broadcast(value: StoredValue, shape: Shape): StoredValue {
    return sameShape(value.shape, shape)
      ? value
      : this.node('broadcastTo', [value], { shape }, { dtype: value.dtype, shape });
  }

  cast(value: StoredValue, dtype: DType): StoredValue {
    return value.dtype === dtype ? value : this.node('cast', [value], { dtype }, { ...value, dtype });
  }
}
