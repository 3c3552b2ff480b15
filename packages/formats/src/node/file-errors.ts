/** The file system's errors in the words of a user. */
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
