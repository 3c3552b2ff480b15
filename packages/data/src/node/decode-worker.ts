/**
 * The thread that decodes images; see `decoding-thread.ts`. It has several in work at a time, since the decoder uses threads
 * of its own, and takes what is waited for before what is only asked for ahead.
 */
import { availableParallelism } from 'node:os';
import { workerData } from 'node:worker_threads';
import { type DecodeAnswer, type DecodeRequest, type DecodeTask } from './decoding-thread.js';
import { readImage } from './read-image.js';

const { port, answered, image } = workerData as DecodeTask;
/** Images in work; the decoder's threads are four. */
const MOST = Math.min(4, availableParallelism());

const waiting: DecodeRequest[] = [];
let working = 0;

port.on('message', (request: DecodeRequest) => {
  if (request.isUrgent) waiting.unshift(request);
  else waiting.push(request);
  begin();
});

function begin(): void {
  while (working < MOST) {
    const next = waiting.shift();
    if (next === undefined) return;
    working++;
    void answer(next);
  }
}

async function answer({ row, path }: DecodeRequest): Promise<void> {
  const found: DecodeAnswer = await readImage(path, image).then(
    (pixels) => ({ row, pixels }),
    (error: unknown) => ({ row, reason: error instanceof Error ? error.message : String(error) }),
  );
  port.postMessage(found, found.pixels === undefined ? [] : [found.pixels.buffer as ArrayBuffer]);
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
  working--;
  begin();
}
