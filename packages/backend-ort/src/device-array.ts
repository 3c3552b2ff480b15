/** OrtArray: a result of a run, held as the tensor that ONNX Runtime returned. */
import {
  DisposedError,
  formatType,
  HostArray,
  sizeOf,
  type DeviceArray,
  type DType,
  type HostData,
  type Shape,
  type TensorType,
} from '@meanflow/core';
import type { Tensor } from 'onnxruntime-common';
import type { GpuReader } from './reader.js';
import type { Retained } from './retained.js';

/** What an array in a GPU buffer needs as long as it lives. */
export interface GpuHome {
  readonly reader: GpuReader;
  /** The session that made it. */
  readonly session: Retained;
}

/** The arrays that were returned and neither disposed of nor donated since. */
export interface Holdings {
  readonly arrays: number;
  readonly bytes: number;
}

/** Counts them. */
export class HeldArrays implements Holdings {
  arrays = 0;
  bytes = 0;

  add(type: TensorType): void {
    this.arrays += 1;
    this.bytes += bytesOf(type);
  }

  remove(type: TensorType): void {
    this.arrays -= 1;
    this.bytes -= bytesOf(type);
  }
}

/** What an array takes up on the device. */
export const bytesOf = ({ dtype, shape }: TensorType): number => sizeOf(shape) * (dtype === 'bool' ? 1 : 4);

export class OrtArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: Shape;
  private held: Tensor | undefined;
  /** Runs and reads that are using the tensor: until they are done its memory is not freed. */
  private users = 0;

  /**
   * @param among counts it until its memory is freed
   * @param onRead is told how many bytes each `read()` copied
   * @param home when it lies on a GPU
   */
  constructor(
    tensor: Tensor,
    { dtype, shape }: TensorType,
    private readonly among: HeldArrays,
    private readonly onRead: (bytes: number) => void,
    private readonly home: GpuHome | undefined,
  ) {
    this.held = tensor;
    this.dtype = dtype;
    this.shape = shape;
    among.add(this);
    home?.reader.remember();
    home?.session.retain();
  }

  /** Calls `work` with the tensor behind the array. @throws {DisposedError} after `dispose()` or donation */
  async use<T>(work: (tensor: Tensor) => Promise<T>): Promise<T> {
    const tensor = this.acquire();
    try {
      return await work(tensor);
    } finally {
      this.release(tensor);
    }
  }

  /** The tensor, for which `release` is to be called. @throws {DisposedError} after `dispose()` or donation */
  acquire(): Tensor {
    if (this.held === undefined) {
      throw new DisposedError(
        `This device array (${formatType(this)}) was disposed of, or donated to a run as state. ` +
          'Use the array that the run returned in its place.',
      );
    }
    this.users += 1;
    return this.held;
  }

  release(tensor: Tensor): void {
    this.users -= 1;
    if (this.held === undefined && this.users === 0) this.free(tensor);
  }

  read(): Promise<HostArray> {
    return this.use(async (tensor) => {
      const array = await (this.home?.reader.read(tensor, this) ?? this.copyOf(tensor));
      this.onRead(array.data.byteLength);
      return array;
    });
  }

  /** A copy: what the caller does with it must not reach the state of a later run. */
  private async copyOf(tensor: Tensor): Promise<HostArray> {
    const data = (await tensor.getData()) as HostData[DType];
    return new HostArray(this.dtype, this.shape, data.slice() as HostData[DType]);
  }

  dispose(): void {
    const tensor = this.held;
    this.held = undefined;
    if (tensor !== undefined && this.users === 0) this.free(tensor);
  }

  private free(tensor: Tensor): void {
    // A tensor in the host's memory is left to the garbage collector.
    if (tensor.location !== 'cpu') tensor.dispose();
    this.among.remove(this);
    this.home?.session.release();
    this.home?.reader.forget();
  }
}
