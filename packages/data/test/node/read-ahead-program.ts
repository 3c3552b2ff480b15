/** Decodes the images of a folder ahead and at once, and writes what it saw; see `read-ahead.test.ts`. */
import { listImages } from '../../src/node/image-folder.js';
import { folderImages, readImage } from '../../src/node/folder-images.js';
import { nodeJpegDecoder } from '../../src/node/jpeg.js';
import { ReadAhead } from '../../src/node/read-ahead.js';

const listing = await listImages(process.argv[2]);
const options = { imageShape: [8, 8, 3], isCropped: true, cacheBytes: 10_000, readAhead: true } as const;
const ahead = new ReadAhead(listing.files, options);
const jpeg = await nodeJpegDecoder();

const rows = [...listing.files.keys()];
ahead.request(rows);
const taken = rows.map((row) => {
  const pixels = ahead.take(row);
  try {
    return pixels?.join() === readImage(listing.files[row], options, jpeg).join() ? 'same' : 'other';
  } catch {
    return pixels === undefined ? 'unreadable' : 'other';
  }
});
const again = ahead.take(0);
ahead.request([1, 2]);
ahead.request([2]);
const forgotten = ahead.take(0) ?? ahead.take(3);

// As rows of a dataset: the error of an image that cannot be read is told by whoever reads it.
const images = folderImages(listing, options, jpeg);
images.readAhead?.(Int32Array.from(rows));
const errors = rows.flatMap((row) => {
  try {
    images.read(row);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
});
console.log(JSON.stringify({ taken, again: again ?? null, forgotten: forgotten ?? null, errors }));
