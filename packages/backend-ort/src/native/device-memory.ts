/**
 * DeviceMemory: blocks in a GPU's own memory, from the arena of a session there, which stays as long as one of them does. What is
 * given as an output in that memory is written there, and as an input read there; nothing crosses to the host but by `read`.
 *
 * The C interface copies between devices only inside of a run: what a run is given lies where it may, and so does what it is to
 * write. So a block is read by a session of one node, which passes it on to memory of the host.
 */
import { sizeOf, type DType, type TensorType } from '@meanflow/core';
import { elementArrays, type Elements } from '../elements.js';
import { ModelBuilder } from '../onnx/model-builder.js';
import { Retained } from '../retained.js';
import type { Target } from '../targets.js';
import type { Block, BlockMemory } from './blocks.js';
import type { Pointer } from './koffi.js';
import type { OrtLibrary } from './library.js';
import { namesOf, type Names } from './names.js';
import type { Sessions } from './sessions.js';

/** Memory as ONNX Runtime calls it. */
export interface Place {
  /** Such as `Cuda`. */
  readonly name: string;
  /** Which of several devices. */
  readonly id: number;
}

/** OrtDeviceAllocator and OrtMemTypeDefault. */
const [DEVICE, DEFAULT_MEMORY] = [0, 0];
const [INPUT, OUTPUT] = ['in:block', 'out:block'];

export class DeviceMemory implements BlockMemory {
  private readonly allocator: Pointer;
  private readonly retained: Retained;
  private readonly input: Names;
  private readonly output: Names;
  /** The sessions that read, by dtype. */
  private readonly readers = new Map<DType, Promise<Pointer>>();
  /** What is being read: C's addresses keep nothing alive. */
  private readonly reading = new Set<readonly unknown[]>();

  /** @param session whose arena the blocks are from; released with the last of them, after `close` */
  constructor(
    private readonly library: OrtLibrary,
    private readonly sessions: Sessions,
    private readonly target: Target,
    session: Pointer,
    { name, id }: Place,
  ) {
    const { api, koffi } = library;
    const info = api.CreateMemoryInfo(name, DEVICE, id, DEFAULT_MEMORY);
    try {
      this.allocator = api.CreateAllocator(session, info);
    } finally {
      api.ReleaseMemoryInfo(info);
    }
    this.input = namesOf(koffi, [INPUT]);
    this.output = namesOf(koffi, [OUTPUT]);
    this.retained = new Retained(async () => {
      api.ReleaseAllocator(this.allocator);
      api.ReleaseSession(session);
      for (const reader of await Promise.allSettled(this.readers.values()))
        if (reader.status === 'fulfilled') api.ReleaseSession(reader.value);
    });
  }

  allocate(type: TensorType): Block {
    const value = this.library.valueOf(this.allocator, type);
    this.retained.retain();
    return { type, value, read: () => this.read(type, value) };
  }

  release(value: Pointer): void {
    this.library.api.ReleaseValue(value);
    this.retained.release();
  }

  close(): void {
    void this.retained.close();
  }

  private async read(type: TensorType, value: Pointer): Promise<Elements> {
    const { api } = this.library;
    const session = await this.reader(type.dtype);
    const elements = new elementArrays[type.dtype](sizeOf(type.shape));
    const copy = this.library.valueOver(elements, type);
    const [given, returned] = [BigUint64Array.of(value), BigUint64Array.of(copy)];
    const used = [elements, given, returned];
    this.reading.add(used);
    try {
      await api.Run.async(session, null, this.input.places, given, 1, this.output.places, 1, returned);
      return elements;
    } finally {
      this.reading.delete(used);
      api.ReleaseValue(copy);
    }
  }

  private reader(dtype: DType): Promise<Pointer> {
    let reader = this.readers.get(dtype);
    if (reader === undefined) {
      const builder = new ModelBuilder('read', this.target);
      const type = { dtype, shape: undefined };
      builder.output(OUTPUT, type, builder.input(INPUT, type));
      reader = this.sessions.open(builder.encode(), `Arrays of ${dtype} cannot be read`, 'disabled');
      this.readers.set(dtype, reader);
    }
    return reader;
  }
}
