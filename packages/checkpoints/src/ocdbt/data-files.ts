/**
 * The table of data files that a manifest or node refers to. A path is in two parts, of which the first is handed down:
 * files that a node in `ocdbt.process_0/d/…` names lie below `ocdbt.process_0/` too.
 */
import { decodePrefixed, type FieldDecoder } from './decoder.js';

export interface DataFile {
  /** Relative to the database. */
  readonly path: string;
  /** What comes before the paths of files that are named in it. */
  readonly base: string;
}

/** @throws {DataError} when a path leads out of the database */
export function decodeDataFiles(decoder: FieldDecoder, base: string): DataFile[] {
  const count = decoder.count();
  const prefixes = decoder.varints(Math.max(0, count - 1));
  const suffixes = decoder.varints(count);
  const baseLengths = decoder.varints(count);
  const text = new TextDecoder();
  return decodePrefixed(decoder, prefixes, suffixes).map((bytes, i) => {
    if (baseLengths[i]! > bytes.length) throw decoder.problem('the path of a data file is damaged');
    const path = base + text.decode(bytes);
    if (path.startsWith('/') || path.includes('\\') || path.split('/').includes('..')) {
      throw decoder.problem(`a data file ${JSON.stringify(path)} lies outside of the folder`);
    }
    return { path, base: base + text.decode(bytes.subarray(0, baseLengths[i])) };
  });
}

/** Bytes of a data file. */
export interface DataPlace {
  readonly file: DataFile;
  readonly offset: number;
  readonly length: number;
}

/** @throws {DataError} when there is no such file in the table */
export function dataFile(files: readonly DataFile[], id: number, decoder: FieldDecoder): DataFile {
  return (
    files[id] ??
    (() => {
      throw decoder.problem(`data file ${id} is not in its table of ${files.length}`);
    })()
  );
}
