/** Reading files from disk, with the file system's errors in the words of a user. */
import { readFile, stat } from 'node:fs/promises';
import { DataError } from '@meanflow/core';
import { type NamedBytes } from '../images/idx.js';
import { decodeText } from '../text.js';

/** The error for a file that cannot be read. @param expected what it should have been, such as `a CSV file` */
export function describeFileError(path: string, error: unknown, expected: string): DataError {
  return new DataError(`${path}: ${fileErrorReason(error, expected)}.`, { cause: error });
}

/** Why a file cannot be read, without its name. */
export function fileErrorReason(error: unknown, expected: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: `it is a folder, expected ${expected}`,
    ENOTDIR: `it is a file, expected ${expected}`,
    EACCES: 'it may not be read',
    ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB, which cannot be read at once',
  };
  return reasons[code ?? ''] ?? message;
}

/**
 * The bytes of a file. Pipes and devices are refused: data are read more than once, and some have no end.
 *
 * @throws {DataError} naming it when it cannot be read
 */
export async function readBytes(path: string, expected: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (found.isFile() || found.isDirectory()) return await readFile(path);
  } catch (error) {
    throw describeFileError(path, error, expected);
  }
  throw new DataError(
    `${path}: it is a pipe, a socket or a device, and data are read more than once: save it as a file, expected ${expected}.`,
  );
}

/** The same with its path, for messages. */
export async function readNamed(path: string, expected: string): Promise<NamedBytes> {
  return { file: path, bytes: await readBytes(path, expected) };
}

/** The lines of a text that are not blank, without blanks at their ends. @throws {DataError} when it is not UTF-8 */
export function linesOf({ file, bytes }: NamedBytes): string[] {
  return decodeText(bytes, file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
