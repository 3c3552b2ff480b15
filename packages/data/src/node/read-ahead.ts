/**
 * Decoding ahead: a thread that reads images which will be asked for soon, while the caller computes. Batches are made
 * without waiting for anything, so results are taken from the thread's port directly, and an image that is under way is
 * waited for on a counter that the thread raises. The thread does not keep the process alive.
 */
import { fileURLToPath } from 'node:url';
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { type FolderImageOptions } from './folder-images.js';

/** What the thread is started with. */
export interface DecodeTask {
  readonly port: MessagePort;
  /** int32 `[1]`, shared: how many images it has answered. */
  readonly answered: Int32Array;
  readonly image: Pick<FolderImageOptions, 'imageShape' | 'isCropped'>;
}

export interface DecodeRequest {
  readonly row: number;
  readonly path: string;
}

/** Pixels, or undefined where the image cannot be read. */
export interface DecodeAnswer {
  readonly row: number;
  readonly pixels: Uint8Array | undefined;
}

/** The thread's entry: beside this file, and like it built or source. */
const entry = fileURLToPath(import.meta.url).replace(/read-ahead(?=\.\w+$)/, 'decode-worker');

/** An image takes milliseconds; a thread that does not answer for so long is gone. */
const PATIENCE_MS = 10_000;

export class ReadAhead {
  private readonly port: MessagePort;
  private readonly answered = new Int32Array(new SharedArrayBuffer(4));
  private readonly requested = new Set<number>();
  private readonly ready = new Map<number, Uint8Array>();
  private isGone = false;

  constructor(
    private readonly files: readonly string[],
    { imageShape, isCropped }: FolderImageOptions,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const workerData: DecodeTask = { port: port2, answered: this.answered, image: { imageShape, isCropped } };
    const worker = new Worker(entry, { workerData, transferList: [port2] });
    const lose = (): void => void (this.isGone = true);
    worker.on('error', lose).on('exit', lose).unref();
    port1.unref();
  }

  /** Asks for images, in this order. What was asked for before and not taken is forgotten when it comes. */
  request(rows: readonly number[]): void {
    this.drain();
    const wanted = new Set(rows);
    for (const row of this.ready.keys()) if (!wanted.has(row)) this.ready.delete(row);
    if (this.isGone) return;
    for (const row of wanted) {
      if (this.ready.has(row) || this.requested.has(row)) continue;
      this.requested.add(row);
      this.port.postMessage({ row, path: this.files[row] } satisfies DecodeRequest);
    }
  }

  /** An image that was asked for, waited for if need be; undefined where it was not, or cannot be read. */
  take(row: number): Uint8Array | undefined {
    this.drain();
    while (this.requested.has(row) && !this.isGone) {
      const seen = Atomics.load(this.answered, 0);
      // What was answered before the look at the counter has arrived by now.
      this.drain();
      if (!this.requested.has(row)) break;
      if (Atomics.wait(this.answered, 0, seen, PATIENCE_MS) === 'timed-out') this.isGone = true;
      this.drain();
    }
    const pixels = this.ready.get(row);
    this.ready.delete(row);
    return pixels;
  }

  private drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.port) as { readonly message: DecodeAnswer } | undefined;
      if (received === undefined) return;
      const { row, pixels } = received.message;
      this.requested.delete(row);
      if (pixels !== undefined) this.ready.set(row, pixels);
    }
  }
}
