/**
 * GpuReader: arrays from GPU buffers to the host. ONNX Runtime's own way, `getData()`, ends the process in Node 1.30,
 * so a session that does nothing but return its operand in host memory copies it. The sessions also keep the GPU open:
 * they are released when the backend is disposed of and the last array has gone.
 */
import { BackendError, DeviceLostError, type DType, type HostData, type TensorType } from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import { messageOf } from '@meanflow/core/backend';
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { fromElements, type Elements } from './elements.js';
import { ModelBuilder } from './onnx/model-builder.js';
import { Retained } from './retained.js';
import type { OrtModule, OrtSession } from './runtime.js';
import { targets } from './targets.js';

export class GpuReader {
  private readonly sessions = new Map<DType, Promise<OrtSession>>();
  private readonly arrays = new Retained(() => this.releaseSessions());

  constructor(
    private readonly ort: OrtModule,
    private readonly sessionOptions: InferenceSession.SessionOptions,
  ) {}

  /** Counts an array that lies on the device; each is to be `forget`ed once. */
  remember(): void {
    this.arrays.retain();
  }

  forget(): void {
    this.arrays.release();
  }

  /** @throws {DeviceLostError} when the device was lost */
  async read(tensor: Tensor, { dtype }: TensorType): Promise<HostData[DType]> {
    try {
      const session = await this.session(dtype);
      const { copy } = pick(await session.run({ array: tensor }), 'copy');
      return fromElements(dtype, copy.data as Elements);
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      throw new BackendError(`Reading from the WebGPU device failed: ${messageOf(error)}`, { cause: error });
    }
  }

  private session(dtype: DType): Promise<OrtSession> {
    let session = this.sessions.get(dtype);
    if (session === undefined) {
      const builder = new ModelBuilder('read', targets.webgpu);
      const type = { dtype, shape: undefined };
      builder.output('copy', type, builder.input('array', type));
      const options = { ...this.sessionOptions, preferredOutputLocation: 'cpu' as const };
      session = this.ort.InferenceSession.create(builder.encode(), options);
      this.sessions.set(dtype, session);
    }
    return session;
  }

  async open(): Promise<void> {
    await this.session('float32');
  }

  close(): Promise<void> {
    return this.arrays.close();
  }

  private async releaseSessions(): Promise<void> {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) await (await session).release();
  }
}
