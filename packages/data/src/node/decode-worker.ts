/** The thread that decodes images ahead of their use; see `read-ahead.ts`. Errors are left to whoever needs the image. */
import { workerData } from 'node:worker_threads';
import { readImage } from './folder-images.js';
import { nodeJpegDecoder } from './jpeg.js';
import { type DecodeAnswer, type DecodeRequest, type DecodeTask } from './read-ahead.js';

const { port, answered, image } = workerData as DecodeTask;
const jpeg = await nodeJpegDecoder();

port.on('message', ({ row, path }: DecodeRequest) => {
  let pixels: Uint8Array | undefined;
  try {
    pixels = readImage(path, image, jpeg);
  } catch {
    pixels = undefined;
  }
  const answer: DecodeAnswer = { row, pixels };
  port.postMessage(answer, pixels === undefined ? [] : [pixels.buffer as ArrayBuffer]);
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
});
