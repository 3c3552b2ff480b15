/**
 * A thread that decodes the images of a folder: those that are asked for, and ahead of it those that will be, while the
 * caller computes. The decoder answers later and batches are made without waiting for anything, so results are taken from the
 * thread's port directly, and an image that is under way is waited for on a counter that the thread raises. The thread does
 * not keep the process alive.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { DataError } from '@meanflow/core';
import { type ReadImageOptions } from './read-image.js';

/** What the thread is started with. */
export interface DecodeTask {
  readonly port: MessagePort;
  /** int32 `[1]`, shared: how many images it has answered. */
  readonly answered: Int32Array;
  readonly image: ReadImageOptions;
}

export interface DecodeRequest {
  readonly row: number;
  readonly path: string;
  /** Whether the caller waits for it. */
  readonly isUrgent: boolean;
}

/** Pixels, or why the image cannot be read. */
export interface DecodeAnswer {
  readonly row: number;
  readonly pixels?: Uint8Array;
  readonly reason?: string;
}

/** The thread's entry: beside this file, and like it built or source. */
const entry = fileURLToPath(import.meta.url).replace(/decoding-thread(?=\.\w+$)/, 'decode-worker');

/** An image takes milliseconds, the largest seconds; a thread that does not answer for so long is gone. */
const PATIENCE_MS = 120_000;

export class DecodingThread {
  private readonly port: MessagePort;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly requested = new Set<number>();
  private readonly ready = new Map<number, DecodeAnswer>();
  private lost: string | undefined;

  constructor(
    private readonly files: readonly string[],
    image: ReadImageOptions,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const workerData: DecodeTask = { port: port2, answered: this.answered, image };
    const worker = new Worker(entry, { workerData, transferList: [port2] });
    worker
      .on('error', ({ message }) => (this.lost ??= message))
      .on('exit', () => (this.lost ??= 'it ended'))
      .unref();
    port1.unref();
  }

  /** Asks for images, in this order. What was asked for before and not taken is forgotten when it comes. */
  request(rows: readonly number[]): void {
    this.drain();
    const wanted = new Set(rows);
    for (const row of this.ready.keys()) if (!wanted.has(row)) this.ready.delete(row);
    for (const row of wanted) if (!this.ready.has(row) && !this.requested.has(row)) this.ask(row, false);
  }

  /**
   * An image, waited for if need be, asked for ahead or not.
   *
   * @throws {DataError} naming its file when it cannot be read, or naming the thread when that does not answer
   */
  take(row: number): Uint8Array {
    this.drain();
    if (!this.ready.has(row) && !this.requested.has(row)) this.ask(row, true);
    while (!this.ready.has(row)) {
      const seen = Atomics.load(this.answered, 0);
      // What was answered before the look at the counter has arrived by now.
      this.drain();
      if (this.ready.has(row)) break;
      if (this.lost === undefined && Atomics.wait(this.answered, 0, seen, PATIENCE_MS) === 'timed-out') {
        this.lost = `it did not answer for ${PATIENCE_MS / 1000} seconds`;
      }
      this.drain();
      if (this.lost !== undefined && !this.ready.has(row)) {
        throw new DataError(`${this.files[row]}: the thread that decodes images is gone (${this.lost}).`);
      }
    }
    const { pixels, reason } = this.ready.get(row)!;
    this.ready.delete(row);
    if (pixels === undefined) throw new DataError(reason);
    return pixels;
  }

  private ask(row: number, isUrgent: boolean): void {
    this.requested.add(row);
    this.port.postMessage({ row, path: this.files[row]!, isUrgent } satisfies DecodeRequest);
  }

  private drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.port) as { readonly message: DecodeAnswer } | undefined;
      if (received === undefined) return;
      this.requested.delete(received.message.row);
      this.ready.set(received.message.row, received.message);
    }
  }
}
