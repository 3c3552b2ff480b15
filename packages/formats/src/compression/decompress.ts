/**
 * Decompression as a stream with a bound: the caller says how many bytes may come, and one more ends it. Input goes in
 * by small slices, since a compressed byte can stand for a thousand others: what is in memory at once stays small
 * whatever a file claims or holds.
 */
import { DataError } from '@meanflow/core';
import { Gunzip, Inflate, Unzlib } from 'fflate';
import { Decompress } from 'fzstd';
import type { Pieces } from '../access/pieces.js';
import { checkZstdFrame } from './zstd-frame.js';

export type Codec = 'zstd' | 'gzip' | 'zlib' | 'deflate';

/** Bytes of input at a time; deflate expands at most 1032 times. */
const SLICE = 1 << 14;

/** What the libraries' streams have in common. */
interface Decompressor {
  push(chunk: Uint8Array, final: boolean): void;
}

type Receive = (output: Uint8Array) => void;

const decompressors: Readonly<Record<Codec, (receive: Receive) => Decompressor>> = {
  zstd: (receive) => new Decompress(receive),
  gzip: (receive) => new Gunzip(receive),
  zlib: (receive) => new Unzlib(receive),
  deflate: (receive) => new Inflate(receive),
};

/**
 * The decompressed bytes.
 *
 * @param limit the largest number of bytes that may come
 * @throws {DataError} when there are more, or the input is damaged or truncated
 */
export async function* decompressed(
  pieces: Pieces,
  codec: Codec,
  limit: number,
  source: string,
): AsyncGenerator<Uint8Array> {
  let outputs: Uint8Array[] = [];
  let total = 0;
  const decompressor = decompressors[codec]((output) => {
    total += output.length;
    if (total > limit) throw tooMuch(source, codec, limit);
    if (output.length > 0) outputs.push(output);
  });
  const push = (slice: Uint8Array, final: boolean): void => {
    try {
      decompressor.push(slice, final);
    } catch (error) {
      // On damaged input the libraries fail in ways of their own, such as reading beyond a table.
      if (error instanceof DataError) throw error;
      throw new DataError(`${source}: its ${codec} data is damaged or truncated.`, { cause: error });
    }
  };
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst && codec === 'zstd') checkZstdFrame(piece, limit, source);
    isFirst = false;
    for (let begin = 0; begin < piece.length; begin += SLICE) {
      push(piece.subarray(begin, begin + SLICE), false);
      yield* outputs;
      outputs = [];
    }
  }
  push(new Uint8Array(0), true);
  yield* outputs;
}

function tooMuch(source: string, codec: Codec, limit: number): DataError {
  return new DataError(
    `${source}: its ${codec} data expands to more than the ${limit} bytes that are expected.`,
  );
}
