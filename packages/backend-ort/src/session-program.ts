/**
 * SessionProgram: one graph, one session of the public binding. On WebGPU results stay in GPU buffers. On the CPU a run reads host
 * arrays and earlier results where they lie; its results are fresh arrays, so that state alternates between two sets of buffers.
 */
import { BackendError, DeviceLostError, HostArray } from '@meanflow/core';
import {
  messageOf,
  type DeviceLoss,
  type DeviceProgram,
  type Program,
  type ValueId,
} from '@meanflow/core/backend';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { toElements } from './elements.js';
import { inputName, outputName } from './lower-graph.js';
import type { GpuReader } from './reader.js';
import { Retained } from './retained.js';
import type { OrtModule, OrtSession } from './runtime.js';

/** What an array holds: the tensor that ONNX Runtime returned and, when it lies on a GPU, the session that made it. */
export interface Held {
  readonly tensor: Tensor;
  readonly session: Retained | undefined;
}

export class SessionProgram implements DeviceProgram<Held> {
  /** The session, which GPU buffers use: the process would end if they were freed after it. */
  private readonly retained = new Retained(() => this.loss.unlessLost(() => this.session.release()));

  /** @param reader counts arrays on the GPU, where results stay there */
  constructor(
    private readonly ort: OrtModule,
    private readonly session: OrtSession,
    private readonly graph: Program,
    private readonly loss: DeviceLoss,
    private readonly reader: GpuReader | undefined,
  ) {}

  async run(inputs: readonly (HostArray | Held)[]): Promise<readonly Held[]> {
    const feeds: Record<string, Tensor> = {};
    this.graph.inputs.forEach(
      ({ name, value }, i) => (feeds[inputName(name)] = this.tensorOf(inputs[i]!, value)),
    );
    let returned: InferenceSession.ReturnType;
    try {
      returned = await this.loss.race(() => this.session.run(feeds));
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      throw new BackendError(`Running graph "${this.graph.name}" failed: ${messageOf(error)}`, {
        cause: error,
      });
    }
    return this.graph.outputs.map(({ name }) => this.hold(returned[outputName(name)] as Tensor));
  }

  private tensorOf(input: HostArray | Held, value: ValueId): Tensor {
    if (!(input instanceof HostArray)) return input.tensor;
    const { dtype } = this.graph.types[value]!;
    return new this.ort.Tensor(dtype as 'float32', toElements(input, dtype) as Float32Array, input.shape);
  }

  private hold(tensor: Tensor): Held {
    if (this.reader === undefined) return { tensor, session: undefined };
    this.reader.remember();
    this.retained.retain();
    return { tensor, session: this.retained };
  }

  dispose(): Promise<void> {
    return this.retained.close();
  }
}
