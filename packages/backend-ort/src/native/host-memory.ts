/** HostMemory: blocks in memory of JavaScript, which sessions on the processor write to where it lies. */
import { sizeOf, type TensorType } from '@meanflow/core';
import { elementArrays } from '../elements.js';
import type { Block, BlockMemory } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';

/** Vector instructions load faster what does not straddle two lines of the cache. */
const ALIGNMENT = 64;

export class HostMemory implements BlockMemory {
  constructor(private readonly library: OrtLibrary) {}

  allocate(type: TensorType): Block {
    const { dtype, shape } = type;
    const size = sizeOf(shape);
    const buffer = new ArrayBuffer(size * elementArrays[dtype].BYTES_PER_ELEMENT + ALIGNMENT);
    const past = Number(this.library.koffi.address(new Uint8Array(buffer)) % BigInt(ALIGNMENT));
    const data = new elementArrays[dtype](buffer, (ALIGNMENT - past) % ALIGNMENT, size);
    // The block keeps the memory alive that its value is over.
    return { type, value: this.library.valueOver(data, type), read: () => data };
  }

  release(value: Pointer): void {
    this.library.api.ReleaseValue(value);
  }

  close(): void {
    // The collector takes the memory.
  }
}
