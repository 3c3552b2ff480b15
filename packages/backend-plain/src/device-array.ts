/** PlainArray: a result, in the host's own memory. On a real device it would hold a buffer. */
import {
  DisposedError,
  formatType,
  HostArray,
  type DeviceArray,
  type DType,
  type Shape,
} from '@meanflow/core';
import type { Counters } from './executable.js';
import type { Data, Value } from './values.js';

export class PlainArray implements DeviceArray {
  readonly dtype: DType;
  readonly shape: Shape;
  private held: Data | undefined;

  constructor(
    { type, data }: Value,
    private readonly counters: Counters,
  ) {
    this.dtype = type.dtype;
    this.shape = type.shape;
    this.held = data;
  }

  /** @throws {DisposedError} after `dispose()` or donation */
  get data(): Data {
    if (this.held !== undefined) return this.held;
    throw new DisposedError(
      `This device array (${formatType(this)}) was disposed of, or donated to a run as state.`,
    );
  }

  async read(): Promise<HostArray> {
    const copy = this.data.slice();
    this.counters.deviceToHostBytes += copy.byteLength;
    return new HostArray(this.dtype, this.shape, copy as never);
  }

  dispose(): void {
    this.held = undefined;
  }
}
