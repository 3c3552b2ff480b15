/** TfjsArray: a result of a run, held as a storage of the tfjs backend that computed it. */
import {
  DisposedError,
  formatType,
  HostArray,
  hostZeros,
  type DeviceArray,
  type DType,
  type HostData,
  type Shape,
  type TensorType,
} from '@meanflow/core';
import type { DataId } from '@tensorflow/tfjs-core';
import type { OpenDevice } from './devices.js';

export class TfjsArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: Shape;
  private disposed = false;

  /**
   * @param dataId the storage, of which the array owns one reference; `undefined` for an array without elements
   * @param onRead is told how many bytes each `read()` copied
   */
  constructor(
    readonly device: OpenDevice,
    private readonly dataId: DataId | undefined,
    { dtype, shape }: TensorType,
    private readonly onRead: (bytes: number) => void,
  ) {
    this.dtype = dtype;
    this.shape = shape;
  }

  /** The storage behind the array. @throws {DisposedError} after `dispose()` or donation */
  get storage(): DataId | undefined {
    if (!this.disposed) return this.dataId;
    throw new DisposedError(
      `This device array (${formatType(this)}) was disposed of, or donated to a run as state. ` +
        'Use the array that the run returned in its place.',
    );
  }

  async read(): Promise<HostArray> {
    const { storage, device } = this;
    if (storage === undefined) return hostZeros(this.shape, this.dtype);
    // The reference is held while the copy is under way, whoever disposes of the array meanwhile.
    device.store.incRef(storage);
    try {
      const values = (await device.read(storage)) as HostData[DType];
      const data = new { float32: Float32Array, int32: Int32Array, bool: Uint8Array }[this.dtype](values);
      this.onRead(data.byteLength);
      return new HostArray(this.dtype, this.shape, data as HostData[DType]);
    } finally {
      device.store.disposeData(storage);
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    if (this.dataId !== undefined) this.device.store.disposeData(this.dataId);
  }
}
