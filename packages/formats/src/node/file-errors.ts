/** The file system's errors in the words of a user. */
import { readFile, stat } from 'node:fs/promises';
import { DataError } from '@meanflow/core';

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission is denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'part of the path is a file, not a directory',
  EISDIR: 'it is a directory, not a file',
  EEXIST: 'it exists and is not a directory',
  EMFILE: 'too many files are open',
  EIO: 'the disk or its connection failed',
  ELOOP: 'it is a link where a file of its own is expected, or one that leads back to itself',
  ENAMETOOLONG: 'its name is too long',
};

/** The code of a file system error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  // Not `instanceof Error`: the error may come from another realm.
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Does something with files; a failure becomes a DataError that begins with `action`. */
export async function explainFileErrors<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    const text = explanations[code] ?? (error as Error).message;
    throw new DataError(`${action}: ${text} (${code}).`, { cause: error });
  }
}

/**
 * The bytes of a small file. What is no file, such as a pipe that nobody writes to, is not waited for.
 *
 * @throws {DataError} when it cannot be read
 */
export async function readRegularFile(path: string): Promise<Buffer> {
  return explainFileErrors(`"${path}" cannot be read`, async () => {
    const found = await stat(path);
    if (!found.isFile() && !found.isDirectory()) {
      throw new DataError(
        `"${path}" cannot be read: it is no regular file, but a device, a pipe or a socket.`,
      );
    }
    return readFile(path);
  });
}
