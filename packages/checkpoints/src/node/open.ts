/** Opening a checkpoint by its path. */
import { basename, dirname } from 'node:path';
import type { Catalogue } from '@meanflow/formats';
import { fileAccess, fileFolder, isFolder } from '@meanflow/formats/node';
import { openCheckpointFile, openCheckpointFolder, openPartOf } from '../open.js';

/**
 * A checkpoint: a file or a folder, in any of the formats that are known.
 *
 * @throws {DataError} when there is none, its format is unknown, or it is damaged
 */
export async function openCheckpoint(path: string): Promise<Catalogue> {
  if (await isFolder(path)) return openCheckpointFolder(await fileFolder(path));
  // A file may be one of several that belong together, or say which do.
  const folder = await fileFolder(dirname(path));
  return (await openPartOf(folder, basename(path))) ?? openCheckpointFile(await fileAccess(path));
}
