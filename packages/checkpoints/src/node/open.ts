/** Opening a checkpoint by its path. */
import type { Catalogue } from '@meanflow/formats';
import { fileAccess, fileFolder, isFolder } from '@meanflow/formats/node';
import { openCheckpointFile, openCheckpointFolder } from '../open.js';

/**
 * A checkpoint: a file or a folder, in any of the formats that are known.
 *
 * @throws {DataError} when there is none, its format is unknown, or it is damaged
 */
export async function openCheckpoint(path: string): Promise<Catalogue> {
  return (await isFolder(path))
    ? openCheckpointFolder(await fileFolder(path))
    : openCheckpointFile(await fileAccess(path));
}
