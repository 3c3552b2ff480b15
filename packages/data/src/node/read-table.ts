/**
 * Reading a table from disk, piece by piece where the file is large: the text of a table may be longer than a string can be,
 * and takes several times the memory of its numbers.
 */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError, MeanflowError } from '@meanflow/core';
import { inEncoding } from '../open-dataset.js';
import { parseTable, TableReader, type Table, type TableOptions } from '../table.js';
import { DECIDING_BYTES, decoderOf, encodingOf, notInEncoding, readText } from '../text.js';
import { describeFileError, readBytes } from './read-file.js';

export interface ReadTableOptions extends Omit<TableOptions, 'file'> {
  /** The text's encoding; found out by default. */
  readonly encoding?: string | undefined;
  /** Bytes from which on a file is read piece by piece; 64 MiB by default, of a compressed one a sixteenth. */
  readonly streamFrom?: number;
}

const STREAM_FROM = 2 ** 26;
/** Compressed text is longer, unpacked, by a factor of this at most; or has so many bytes at most. */
const [MOST_RATIO, MOST_BYTES] = [100, 2 ** 31];
const PIECE = 2 ** 22;

/**
 * The table in a file, plain or compressed.
 *
 * @throws {DataError} when the file cannot be read, and as `parseTable`
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const { streamFrom = STREAM_FROM, encoding: asked, ...reading } = options;
  const { size, isCompressed } = await factsOf(path);
  if (size < (isCompressed ? streamFrom / 16 : streamFrom)) {
    const { text, encoding } = readText(await readBytes(path, 'a CSV file'), path, asked);
    return inEncoding(parseTable(text, { ...reading, file: path }), encoding);
  }
  const reader = new TableReader({ ...reading, file: path });
  let decoder: { readonly encoding: string; readonly decode: (bytes?: Uint8Array) => string } | undefined;
  let read = 0;
  try {
    for await (const bytes of unpacked(path, isCompressed)) {
      read += bytes.length;
      if (isCompressed && read > Math.max(MOST_BYTES, MOST_RATIO * size)) {
        throw new DataError(`${path}: it unpacks to more than ${read} bytes, a hundred times its own.`);
      }
      decoder ??= streamDecoder(encodingOf(bytes, path, asked), path);
      reader.push(decoder.decode(bytes), false);
    }
    reader.push(decoder?.decode() ?? '', true);
  } catch (error) {
    if (error instanceof MeanflowError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (/^(Z_|ERR_)/.test(code ?? '')) {
      throw new DataError(`${path}: the gzip data is damaged or cut short (${message}).`, { cause: error });
    }
    throw describeFileError(path, error, 'a CSV file');
  }
  return inEncoding(reader.finish(), decoder?.encoding ?? 'utf-8');
}

function streamDecoder(
  encoding: string,
  file: string,
): { readonly encoding: string; readonly decode: (bytes?: Uint8Array) => string } {
  const decoder = decoderOf(encoding);
  return {
    encoding,
    decode: (bytes) => {
      try {
        return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
      } catch {
        throw notInEncoding(encoding, file);
      }
    },
  };
}

/** The file's bytes, in pieces of which the first suffices to know the encoding. */
async function* unpacked(path: string, isCompressed: boolean): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: PIECE });
  const stream: Readable = isCompressed ? pipeline(file, createGunzip({ chunkSize: PIECE }), () => {}) : file;
  let first: Uint8Array[] | undefined = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    if (first === undefined) {
      yield chunk;
      continue;
    }
    first.push(chunk);
    length += chunk.length;
    if (length < DECIDING_BYTES) continue;
    yield Buffer.concat(first);
    first = undefined;
  }
  if (first !== undefined) yield Buffer.concat(first);
}

async function factsOf(path: string): Promise<{ readonly size: number; readonly isCompressed: boolean }> {
  try {
    const facts = await stat(path);
    // What is no file has no beginning to look at; reading it says what it is.
    if (!facts.isFile()) return { size: 0, isCompressed: false };
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(2), 0, 2, 0);
      return { size: facts.size, isCompressed: bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw describeFileError(path, error, 'a CSV file');
  }
}
