/** BufferArray: a result of a run, which holds a buffer of the device until it is disposed of or donated. */
import type { DeviceArray } from '../backend.js';
import { DisposedError } from '../errors.js';
import { HostArray, hostZeros } from '../host-array.js';
import {
  bytesPerElement,
  formatType,
  hostDTypeOf,
  sizeOf,
  type DType,
  type HostDTypeOf,
  type Shape,
  type TensorType,
} from '../types.js';
import type { Device, Transfers } from './device.js';

export const bytesOf = ({ dtype, shape }: TensorType): number => sizeOf(shape) * bytesPerElement[dtype];

/** The arrays of one device whose memory is not yet freed. */
export class DeviceArrays<Buffer> {
  count = 0;
  bytes = 0;

  constructor(readonly device: Device<Buffer>) {}

  /** Whether an array is one of them. */
  has(array: DeviceArray): array is BufferArray<Buffer> {
    return array instanceof BufferArray && array.among === this;
  }
}

export class BufferArray<Buffer> implements DeviceArray {
  readonly dtype: DType;
  readonly shape: Shape;
  private held: Buffer | undefined;
  private isGivenUp = false;
  /** Runs and reads that are using the buffer: until they are done it is not freed. */
  private users = 0;

  // No closure is kept here: one that is made in a run would let each result keep all results of that run alive.
  constructor(
    readonly among: DeviceArrays<Buffer>,
    buffer: Buffer,
    { dtype, shape }: TensorType,
    private readonly counters: Transfers,
  ) {
    this.held = buffer;
    this.dtype = dtype;
    this.shape = shape;
    among.count += 1;
    among.bytes += bytesOf(this);
  }

  /** The buffer, for which `release` is to be called. @throws {DisposedError} after `dispose()` or donation */
  acquire(): Buffer {
    if (this.isGivenUp) {
      throw new DisposedError(
        `This device array (${formatType(this)}) was disposed of, or donated to a run as state. ` +
          'Use the array that the run returned in its place.',
      );
    }
    this.users += 1;
    return this.held as Buffer;
  }

  /** Whether more than one run or read is using the buffer. */
  get isShared(): boolean {
    return this.users > 1;
  }

  release(): void {
    this.users -= 1;
    if (this.isGivenUp && this.users === 0) this.free();
  }

  async read(): Promise<HostArray> {
    const buffer = this.acquire();
    try {
      if (sizeOf(this.shape) === 0) return hostZeros(this.shape, hostDTypeOf(this.dtype));
      const { device } = this.among;
      const data = await device.read(buffer, this);
      if (!device.movesBuffers) this.counters.deviceToHostBytes += data.byteLength;
      return new HostArray<HostDTypeOf>(hostDTypeOf(this.dtype), this.shape, data);
    } finally {
      this.release();
    }
  }

  dispose(): void {
    if (this.isGivenUp) return;
    this.isGivenUp = true;
    if (this.users === 0) this.free();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
  }

  private free(): void {
    const { among, held } = this;
    this.held = undefined;
    among.device.free?.(held as Buffer);
    among.count -= 1;
    among.bytes -= bytesOf(this);
  }
}
