/** PlainExecutable: a graph as a list of prepared kernels, run in order, each value forgotten after its last use. */
import {
  DisposedError,
  HostArray,
  type CompileOptions,
  type DeviceArray,
  type DType,
  type Executable,
  type Graph,
  type RunInput,
  type RunOptions,
} from '@meanflow/core';
import { prepare, takeInputs, type ValueId } from '@meanflow/core/backend';
import { PlainArray } from './device-array.js';
import type { Kernel, KernelTable, Run } from './kernels/kernel.js';
import type { Data } from './values.js';

/** What has crossed between host and device; the conformance kit reads it. */
export interface Counters {
  hostToDeviceBytes: number;
  deviceToHostBytes: number;
}

/** One kernel call. */
interface Step {
  readonly run: Run;
  readonly inputs: readonly ValueId[];
  readonly output: ValueId;
  /** Values that nothing needs afterwards. */
  readonly free: readonly ValueId[];
}

export class PlainExecutable implements Executable {
  readonly counters: Counters = { hostToDeviceBytes: 0, deviceToHostBytes: 0 };
  private readonly steps: readonly Step[];
  private readonly prepared: Graph;
  private disposed = false;
  /** Runs do not overlap: of two that are given one state, the second finds it donated. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly graph: Graph,
    private readonly state: NonNullable<CompileOptions['state']>,
    kernels: KernelTable,
    private readonly onDispose: () => void,
  ) {
    this.prepared = prepare(graph);
    this.steps = schedule(this.prepared, kernels);
  }

  async run(
    inputs: Readonly<Record<string, RunInput>>,
    options: RunOptions = {},
  ): Promise<Record<string, DeviceArray>> {
    if (this.disposed)
      throw new DisposedError(`The executable of graph "${this.graph.name}" was disposed of.`);
    // What the caller does with its arrays from here on does not reach the run.
    const given = takeInputs(this.graph, inputs, options);
    options.signal?.throwIfAborted();
    const result = this.queue.then(() => this.runNow(given));
    this.queue = result.catch(() => undefined);
    return result;
  }

  private async runNow(inputs: Readonly<Record<string, RunInput>>): Promise<Record<string, DeviceArray>> {
    const { graph } = this;
    // Reads of foreign arrays wait; nothing is donated before everything is there.
    const data = await Promise.all(graph.inputs.map(({ name }, i) => this.upload(inputs[name], i)));
    const values = new Map<ValueId, Data>(this.prepared.inputs.map(({ value }, i) => [value, data[i]]));
    for (const { run, inputs: operands, output, free } of this.steps) {
      values.set(output, run(...operands.map((operand) => values.get(operand)!)));
      for (const value of free) values.delete(value);
    }
    const results = this.prepared.outputs.map(({ name, value }, i) => {
      const type = graph.types[graph.outputs[i].value];
      // A copy: two outputs may be one value, or an input.
      return [name, new PlainArray({ type, data: values.get(value)!.slice() }, this.counters)] as const;
    });
    for (const name of Object.keys(this.state)) {
      const donated = inputs[name];
      if (!(donated instanceof HostArray)) donated.dispose();
    }
    return Object.fromEntries(results);
  }

  private async upload(input: RunInput, index: number): Promise<Data> {
    if (input instanceof PlainArray) return input.data;
    const { dtype } = this.graph.types[this.graph.inputs[index].value];
    const host = input instanceof HostArray ? input : await input.read();
    const data = host.to(dtype as DType).data as Data;
    this.counters.hostToDeviceBytes += data.byteLength;
    return data;
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    await this.queue;
    this.onDispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

function schedule(graph: Graph, kernels: KernelTable): Step[] {
  const lastUse = new Map<ValueId, number>();
  graph.instructions.forEach(({ inputs }, at) => inputs.forEach((input) => lastUse.set(input, at)));
  const kept = new Set(graph.outputs.map(({ value }) => value));
  return graph.instructions.map(({ op, attributes, inputs, outputs: [output] }, at) => {
    if (op === 'composite') throw new Error('Internal: prepare() left a composite.');
    const kernel = kernels[op] as Kernel<unknown>;
    const run = kernel({
      inputs: inputs.map((input) => graph.types[input]),
      output: graph.types[output],
      attributes,
    });
    const free = [...new Set(inputs)].filter((value) => lastUse.get(value) === at && !kept.has(value));
    return { run, inputs, output, free };
  });
}
