/**
 * The header of a Zstandard frame (RFC 8878, section 3.1.1.1), looked at before the decompressor does, which allocates
 * the window and the content that a header asks for.
 */
import { DataError } from '@meanflow/core';

const MAGIC = 0xfd2fb528;
/** The largest window that Zstandard's own decoder takes unless told otherwise. */
const LARGEST_WINDOW = 1 << 27;

/**
 * Checks the header of the first frame.
 *
 * @param bytes the beginning of the data
 * @param limit the largest content that is expected
 * @throws {DataError} when there is no frame, or one that asks for too much
 */
export function checkZstdFrame(bytes: Uint8Array, limit: number, source: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) {
    throw new DataError(`${source}: it is not Zstandard data.`);
  }
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >> 6;
  const contentBytes = sizeFlag === 0 ? Number(isSingleSegment) : 1 << sizeFlag;
  const at = 5 + Number(!isSingleSegment) + dictionaryBytes;
  if (bytes.length < at + contentBytes) throw new DataError(`${source}: its zstd data is truncated.`);
  const content = contentSize(view, at, contentBytes);
  if (content !== undefined && content > limit) {
    throw new DataError(`${source}: its zstd data holds ${content} bytes, expected at most ${limit}.`);
  }
  if (isSingleSegment) return;
  const exponent = bytes[5]! >> 3;
  const window = 2 ** (10 + exponent) * (1 + (bytes[5]! & 7) / 8);
  if (window > LARGEST_WINDOW) {
    throw new DataError(
      `${source}: its zstd data needs a window of ${window} bytes, more than ${LARGEST_WINDOW}.`,
    );
  }
}

/** Undefined where the header does not say. */
function contentSize(view: DataView, at: number, bytes: number): number | undefined {
  switch (bytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    case 8:
      return Number(view.getBigUint64(at, true));
    default:
      return undefined;
  }
}
