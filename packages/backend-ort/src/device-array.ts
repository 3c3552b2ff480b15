/** OrtArray: a result of a run, held as the tensor that ONNX Runtime returned. */
import {
  DisposedError,
  formatType,
  HostArray,
  type DeviceArray,
  type DType,
  type HostData,
  type Shape,
  type TensorType,
} from '@meanflow/core';
import type { Tensor } from 'onnxruntime-common';

export class OrtArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: Shape;
  private held: Tensor | undefined;

  /** @param onRead is told how many bytes each `read()` copied */
  constructor(
    tensor: Tensor,
    { dtype, shape }: TensorType,
    private readonly onRead: (bytes: number) => void,
  ) {
    this.held = tensor;
    this.dtype = dtype;
    this.shape = shape;
  }

  /** The tensor behind the array. @throws {DisposedError} after `dispose()` or donation */
  get tensor(): Tensor {
    if (this.held !== undefined) return this.held;
    throw new DisposedError(
      `This device array (${formatType(this)}) was disposed of, or donated to a run as state. ` +
        'Use the array that the run returned in its place.',
    );
  }

  async read(): Promise<HostArray> {
    const data = (await this.tensor.getData()) as HostData[DType];
    this.onRead(data.byteLength);
    // A copy: what the caller does with it must not reach the state of a later run.
    return new HostArray(this.dtype, this.shape, data.slice() as HostData[DType]);
  }

  dispose(): void {
    const tensor = this.held;
    this.held = undefined;
    // A tensor in the host's memory is left to the garbage collector: a run under way may still be reading it.
    if (tensor !== undefined && tensor.location !== 'cpu') tensor.dispose();
  }
}
