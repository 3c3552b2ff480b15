/** Reading forward through a source with a buffer, for formats whose values say how long they are. */
import { DataError } from '@meanflow/core';
import type { RandomAccess } from './random-access.js';

const BUFFER = 1 << 16;

export class ForwardReader {
  private buffer: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.buffer.buffer);
  /** Where the buffer begins. */
  private start = 0;

  constructor(
    private readonly access: RandomAccess,
    /** Where the next byte is read. */
    public position = 0,
    private readonly end = access.size,
  ) {}

  get isAtEnd(): boolean {
    return this.position >= this.end;
  }

  /** @throws {DataError} when fewer than `length` bytes are left */
  checkLeft(length: number): void {
    if (length > this.end - this.position) {
      throw new DataError(
        `${this.access.source} says that ${length} bytes follow byte ${this.position}, but ${this.end - this.position} do: it is truncated or damaged.`,
      );
    }
  }

  /** Moves on without reading. */
  skip(length: number): void {
    this.checkLeft(length);
    this.position += length;
  }

  /** A view of the next bytes, which are few, and the place of the first in it. */
  async next(length: number): Promise<{ readonly view: DataView; readonly at: number }> {
    this.checkLeft(length);
    const at = this.position - this.start;
    if (at < 0 || at + length > this.buffer.length) {
      this.start = this.position;
      this.buffer = await this.access.read(
        this.start,
        Math.min(Math.max(length, BUFFER), this.end - this.start),
      );
      this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.length);
    }
    const place = this.position - this.start;
    this.position += length;
    return { view: this.view, at: place };
  }

  async uint8(): Promise<number> {
    const { view, at } = await this.next(1);
    return view.getUint8(at);
  }

  /** UTF-8 text. */
  async text(length: number): Promise<string> {
    const { view, at } = await this.next(length);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new DataError(`${this.access.source} holds text that is not UTF-8.`);
    }
  }
}
