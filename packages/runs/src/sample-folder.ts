/** Samples as a folder of numbered PNG files, as tools that compute FID read them, with a file beside them that says how they were drawn. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, type HostArray } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { encodePng, imageBytes, type ImageShape } from '@meanflow/data';
import type { DataFacts, Labels } from './experiment/model.js';
import { withFileErrors, writeOutput } from './files.js';
import { className } from './sample-table.js';

/** Digits of the number in a file's name, at least. */
const DIGITS = 6;

/** How samples were drawn, for the file beside them. */
export interface SampleFacts {
  readonly model: string;
  readonly seed: number;
  readonly nfe: number;
  readonly solver: string;
  readonly guidance?: unknown;
}

/**
 * Writes `000000.png`, `000001.png`, … and `samples.json` into a folder that is there and empty.
 *
 * @throws {ArgumentError} when the samples are no images
 * @throws {DataError} when a file cannot be written
 */
export async function writePngFolder(
  folder: string,
  samples: HostArray,
  labels: Labels,
  data: DataFacts,
  facts: SampleFacts,
): Promise<void> {
  const imageShape = imageShapeOf(data);
  if (imageShape === undefined) {
    throw new ArgumentError(`Samples of ${data.name} are no images, of which a folder of PNG files is made.`);
  }
  await withFileErrors(`"${folder}" cannot be written`, () => mkdir(folder, { recursive: true }));
  const [height, width, channels] = imageShape;
  const [count] = leading(samples.shape, 1);
  const bytes = imageBytes(samples, imageShape);
  const size = height * width * channels;
  const digits = Math.max(DIGITS, String(count - 1).length);
  for (let i = 0; i < count; i++) {
    const pixels = bytes.subarray(i * size, (i + 1) * size);
    const name = `${String(i).padStart(digits, '0')}.png`;
    await writeOutput(join(folder, name), encodePng({ width, height, channels, data: pixels }));
  }
  const classes = labels && Array.from(labels.data, (label) => className(label, data.classNames));
  const content = { data: data.name, count, ...facts, ...(classes === undefined ? {} : { classes }) };
  await writeOutput(join(folder, 'samples.json'), `${JSON.stringify(content, null, 2)}\n`);
}

function imageShapeOf({ imageShape }: DataFacts): ImageShape | undefined {
  if (imageShape?.length !== 3) return undefined;
  const [height, width, channels] = leading(imageShape, 3);
  return [height, width, channels];
}
