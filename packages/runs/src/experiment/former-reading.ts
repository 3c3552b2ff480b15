/**
 * How data were read before runs recorded what was told of them (`reading`): such runs go on with what they were begun with.
 */
import { readdirSync } from 'node:fs';
import type { ImageSettings } from '../config/data-schema.js';
import type { RunConfig } from '../config/schema.js';
import { kindOf } from './open-data.js';

/** Of a run without a record; undefined for data of which nothing is told. */
export function formerReading(data: string): RunConfig['reading'] {
  const kind = kindOf(data);
  if (kind === 'latents') {
    return { readAs: 'latents', from: 'nchw', form: 'values', labelMeaning: 'numbers' };
  }
  // Every column was learnt, whether it had a name or not.
  if (kind === 'table') return { drop: [] };
  return kind === 'image-folder' ? { splits: formerSplits(data) } : undefined;
}

/** Folders of these names only, with images to learn from, were splits. */
function formerSplits(folder: string): NonNullable<ImageSettings['splits']> {
  const inside = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
  const test = ['test', 'val'].find((name) => inside.includes(name));
  const areSplits = inside.every((name) => ['train', 'test', 'val'].includes(name));
  return areSplits && inside.includes('train') && test !== undefined ? ['train', test] : 'none';
}
