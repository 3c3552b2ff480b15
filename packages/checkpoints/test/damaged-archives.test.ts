/** Zip archives, NumPy arrays, safetensors and msgpack that are damaged or lie about sizes. */
import { readFileSync } from 'node:fs';
import { DataError, hostArray } from '@meanflow/core';
import { bytesAccess, encodeSafetensors, readTensor } from '@meanflow/formats';
import { crc32 } from '@meanflow/formats/build';
import { openCheckpointFile, openCheckpointFolder } from '../src/index.js';
import { big, bytesOf, little, memoryFolder, zip, type Entry } from './support/build.js';

/** Reads everything, so that what is wrong anywhere comes to light. */
async function readEverything(bytes: Uint8Array): Promise<void> {
  const { tensors } = await openCheckpointFile(bytesAccess(bytes, 'The file'));
  for (const tensor of tensors) await readTensor(tensor);
}

async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect((error as DataError).message).toMatch(message);
}

/** An `.npy` file with any header. */
function npy(header: string, elements: Uint8Array, length = header.length): Uint8Array {
  return bytesOf(0x93, 'NUMPY', 1, 0, little(length, 2), header, elements);
}
const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const header = (shape: string, descr = "'<f4'", order = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`;
const intact = npy(header('(2, 2)'), numbers);
const entry = (changes: Partial<Entry> = {}): Entry => ({ name: 'w.npy', content: intact, ...changes });

test('the builders make what can be read', async () => {
  await readEverything(zip([entry(), entry({ name: 'v.npy', deflate: true })]));
  await readEverything(intact);
});

test('sizes and places in zip64 records, as archives of more than 4 GB have them', async () => {
  const wide = (value: number) => little(value, 8);
  const unknown = little(0xffffffff, 4);
  const name = 'w.npy';
  const checksum = little(crc32(intact), 4);
  // The record stands for the fields that are all ones, in the order size, compressed size, offset.
  const extra = bytesOf(little(1, 2), little(24, 2), wide(intact.length), wide(intact.length), wide(0));
  const local = bytesOf(little(0x04034b50, 4), little(45, 2), new Uint8Array(8), checksum, unknown, unknown, little(name.length, 2), little(0, 2), name, intact); // prettier-ignore
  const directory = bytesOf(little(0x02014b50, 4), little(45, 2), little(45, 2), new Uint8Array(8), checksum, unknown, unknown, little(name.length, 2), little(extra.length, 2), new Uint8Array(10), unknown, name, extra); // prettier-ignore
  const end64 = bytesOf(little(0x06064b50, 4), wide(44), little(45, 2), little(45, 2), new Uint8Array(8), wide(1), wide(1), wide(directory.length), wide(local.length)); // prettier-ignore
  const locator = bytesOf(little(0x07064b50, 4), new Uint8Array(4), wide(local.length + directory.length), little(1, 4)); // prettier-ignore
  const end = bytesOf(little(0x06054b50, 4), new Uint8Array(4), little(0xffff, 2), little(0xffff, 2), unknown, unknown, little(0, 2)); // prettier-ignore
  const archive = bytesOf(local, directory, end64, locator, end);
  await readEverything(archive);
  await refused(readEverything(bytesOf(local, directory, end)), /zip64 record is missing/);
  const beyond = bytesOf(
    local,
    directory,
    end64.map((byte, i) => (i === 55 ? 1 : byte)),
    locator,
    end,
  );
  await refused(readEverything(beyond), /larger than any file|beyond its end/);
});

describe('a zip archive', () => {
  const archive = zip([entry()]);
  const zeros = npy(header('(1000000,)'), new Uint8Array(4_000_000));

  test.each<[string, Uint8Array, RegExp]>([
    ['cut off', archive.subarray(0, -5), /no end record; it is truncated/],
    ['cut off by its half', archive.subarray(0, archive.length / 2), /no end record/],
    ['without its beginning', bytesOf('PK', archive.subarray(40)), /lies beyond its end|overlaps|not where/],
    ['with more entries than it has', zip([entry()], 2), /has 1 entries, its end record says 2/],
    ['with an entry beyond its end', zip([entry({ offset: 10_000 })]), /overlaps what follows it, or lies beyond the end/],
    ['with entries that overlap', zip([entry(), entry({ name: 'v.npy', offset: 0 })]), /overlaps what follows it/],
    ['with a stored entry that says it is longer', zip([entry({ size: 4_000_000_000 })]), /lies about its size/],
    ['with an entry longer than the file', zip([entry({ size: 10_000, compressedSize: 10_000 })]), /overlaps what follows it/],
    ['with zip64 sizes that are missing', zip([entry({ size: 0xffffffff, compressedSize: 0xffffffff })]), /lacks its zip64 sizes/],
    ['with an entry twice', zip([entry(), entry()]), /two entries "w\.npy"/],
    ['that is encrypted', zip([entry({ flags: 1 })]), /is encrypted/],
    ['of an unknown method', zip([entry({ method: 14 })]), /compressed by method 14/],
    ['with a wrong checksum', zip([entry({ crc: 1 })]), /checksum does not match/],
    ['with damaged deflate data', zip([entry({ content: intact, deflate: true }), entry({ name: 'v.npy', content: bytesOf('\xff\xff\xff'), method: 8, size: intact.length })]), /deflate data is damaged/],
    ['a bomb: megabytes where it says 64 bytes', zip([entry({ content: zeros, deflate: true, size: 64 })]), /expands to more than the 64 bytes/],
    ['a bomb: terabytes claimed by a few bytes', zip([entry({ deflate: true, size: 0xfffffff0 })]), /its 86 bytes unpack to 4294967280, which no archive can/],
  ])('%s', (_, bytes, message) => refused(readEverything(bytes), message)); // prettier-ignore

  test.each(['../w.npy', 'a/../../w.npy', '/etc/w.npy', 'a\\w.npy', 'w\0.npy'])(
    'with an entry called %j',
    (name) => refused(readEverything(zip([entry({ name })])), /whose name leads out of the archive/),
  );
});

describe('a NumPy array', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['cut off', intact.subarray(0, -4), /F32\[2, 2\] takes 16 bytes, found 12: the file is cut short/],
    ['longer than its shape', bytesOf(intact, 0), /found 17: the file is longer than it says/],
    ['with a shape of 10¹⁴ numbers', npy(header('(10000000, 10000000)'), numbers), /takes 400000000000000 bytes, found 16/],
    ['with a shape beyond all numbers', npy(header('(9007199254740991, 9007199254740991)'), numbers), /has the shape/],
    ['with a header longer than it', npy(header('(2, 2)'), numbers, 60_000), /its header has 60000 bytes/],
    ['of objects, which is a pickle', npy(header('(4,)', "'|O'"), numbers), /elements of dtype "\|O"/],
    ['of texts', npy(header('(4,)', "'<U1'"), numbers), /elements of dtype "<U1"/],
    ['of complex numbers', npy(header('(2,)', "'<c8'"), numbers), /elements of dtype "<c8"/],
    ['of records', npy(header('(4,)', "[('a', '<f4')]"), numbers), /elements are records/],
    ['with a header that is an expression', npy(`__import__('os').system('id')\n`, numbers), /gives no dtype/],
    ['of version 9', bytesOf(0x93, 'NUMPY', 9, 0, little(10, 2), ' '.repeat(20)), /its version is 9/],
    ['of nothing', bytesOf(0x93, 'NUMPY'), /does not begin with the magic/],
  ])('%s', (_, bytes, message) => refused(readEverything(bytes), message)); // prettier-ignore
});

describe('safetensors', () => {
  const file = encodeSafetensors({ a: hostArray([1, 2]), b: hostArray([3]) });
  const made = (json: unknown, data: number, length?: number): Uint8Array => {
    const text = typeof json === 'string' ? json : JSON.stringify(json);
    return bytesOf(little(length ?? text.length, 8), text, new Uint8Array(data));
  };
  const at = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['cut off', file.subarray(0, -4), /truncated/],
    ['cut off in its header', file.subarray(0, 40), /truncated/],
    ['with a header longer than it', made({}, 0, 1000), /truncated/],
    ['with a header of 4 GB', made({}, 0, 0xffffffff), /header of 4294967295 bytes, expected at most/],
    ['with tensors that overlap', made({ a: at(0, 8), b: at(4, 12) }, 12), /overlaps the tensor before it/],
    ['with a gap', made({ a: at(0, 4), b: at(8, 12) }, 12), /leaves a gap before it/],
    ['with a tensor beyond its end', made({ a: at(0, 4_000_000_000) }, 8), /truncated/],
    ['with a shape that is not its bytes', made({ a: at(0, 8, [100]) }, 8), /needs 400 bytes/],
    ['with a shape beyond all numbers', made({ a: at(0, 8, [2 ** 40, 2 ** 40]) }, 8), /needs 4\.8\d+e\+24 bytes/],
    ['with a tensor twice', made('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /names "a" twice/],
    ['with bytes after its last tensor', bytesOf(file, 0), /1 bytes follow its last tensor/],
    ['that is no JSON', made('{"a"', 0), /its header is not JSON/],
  ])('%s', (_, bytes, message) => refused(readEverything(bytes), message)); // prettier-ignore

  const index = (map: unknown) => JSON.stringify({ weight_map: map });
  test.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['that misses a tensor', { 'm.safetensors.index.json': index({ a: 'm1', c: 'm1' }), m1: encodeSafetensors({ a: hostArray([1]) }) }, /places "c" in "m1", which does not hold it/],
    ['that does not know a tensor', { 'm.safetensors.index.json': index({ a: 'm1' }), m1: file }, /holds "b", which .* does not place there/],
    ['that leads out of the folder', { 'm.safetensors.index.json': index({ a: '../m1' }) }, /"\.\.\/m1", which is no file beside it/],
    ['that is no index', { 'm.safetensors.index.json': '[]' }, /no "weight_map"/],
  ])('in several files with an index %s', (_, files, message) =>
    refused(openCheckpointFolder(memoryFolder(files)), message),
  ); // prettier-ignore
});

describe('msgpack', () => {
  const text = (value: string) => bytesOf(0xa0 | value.length, value);
  const array = (shape: Uint8Array, dtype: string, data: Uint8Array, type = 1): Uint8Array => {
    const inside = bytesOf(0x93, shape, text(dtype), 0xc4, data.length, data);
    return bytesOf(0xc7, inside.length, type, inside);
  };
  const map = (...parts: readonly (number | Uint8Array)[]) => bytesOf(0x80 | (parts.length / 2), ...parts);
  const good = array(bytesOf(0x92, 2, 2), 'float32', numbers);

  test('the builders make what can be read', () => readEverything(map(text('w'), good)));

  test.each<[string, Uint8Array, RegExp]>([
    ['cut off', map(text('w'), good).subarray(0, -3), /says that \d+ bytes follow/],
    ['that goes on', bytesOf(map(text('w'), good), 0), /goes on after its msgpack value/],
    ['with a map of 2³² entries', bytesOf(0xdf, big(0xffffffff, 4), 0xa1, 'a', 0), /8589934590 bytes follow/],
    ['with an array of 2³² items', map(text('w'), bytesOf(0xdd, big(0xffffffff, 4))), /4294967295 bytes follow/],
    ['with 4 GB of bytes', map(text('w'), bytesOf(0xc6, big(0xffffffff, 4))), /4294967295 bytes follow/],
    ['with 4 GB of text', map(text('w'), bytesOf(0xdb, big(0xffffffff, 4))), /text of 4294967295 bytes/],
    ['with 4 GB of an extension', map(text('w'), bytesOf(0xc9, big(0xffffffff, 4), 1)), /4294967295 bytes follow/],
    ['nested deeply', bytesOf(0x81, ...Array.from({ length: 5000 }, () => bytesOf(0xa1, 'a', 0x81)), 0xa1, 'a', 0xc0), /nested more than 100 deep/],
    ['with a key twice', map(text('w'), good, text('w'), good), /key "w" twice/],
    ['with a key that is a list', map(text('v'), map(bytesOf(0x91, 1), good)), /key that is no text or number/],
    ['with a byte that begins nothing', map(text('w'), bytesOf(0xc1)), /byte 0xc1 where a value should begin/],
    ['with an array of another size', map(text('w'), array(bytesOf(0x92, 2, 3), 'float32', numbers)), /has 16 bytes; F32 \[2, 3\] needs 24/],
    ['with an array of a huge shape', map(text('w'), array(bytesOf(0x91, 0xcf, big(2n ** 60n, 8)), 'float32', numbers)), /has the shape/],
    ['with an array of objects', map(text('w'), array(bytesOf(0x92, 2, 2), 'object', numbers)), /dtype "object"/],
    ['with another extension', map(text('w'), array(bytesOf(0x92, 2, 2), 'float32', numbers, 9)), /extension of type 9/],
    ['with an array that is a text', map(text('w'), bytesOf(0xc7, 2, 1, 0xa1, 'x')), /has the shape undefined/],
    ['with chunks that do not add up', map(text('w'), map(text('__msgpack_chunked_array__'), 0xc3, text('shape'), bytesOf(0x81, text('0'), 9), text('chunks'), bytesOf(0x81, text('0'), good))), /chunks of 16 bytes, which do not make \[9\]/],
    ['that refers to arrays elsewhere', map(text('w'), bytesOf(0xd9, 17, 'PLACEHOLDER://w.x')), /refers to 1 arrays beside it, such as "w\.x"/],
  ])('%s', (_, bytes, message) => refused(readEverything(bytes), message)); // prettier-ignore
});

test.each([
  ['nothing', new Uint8Array(0), /is empty/],
  ['a byte', Uint8Array.of(7), /no format that is known: it begins with 07/],
  ['a picture', bytesOf(0x89, 'PNG\r\n', 0x1a, '\n'), /is a PNG picture\.$/],
  ['a pointer of Git LFS', bytesOf('version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 334643276\n'), /is a Git LFS pointer to 334643276 bytes, not the file itself: fetch that with "git lfs pull"/],
  ['a web page', bytesOf('\n<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head></html>'), /is a web page \("Google Drive - Virus scan warning"\), not a checkpoint/],
  ['a web page without a title', bytesOf('<html lang="en"><body>no</body></html>'), /is a web page, not a checkpoint/],
  ['the answer of a server', bytesOf('{"error":"Repository not found"}'), /is JSON, not a checkpoint, perhaps the answer of a server: \{"error":"Repository not found"\}/],
  ['its answer in XML', bytesOf('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'), /is XML.*AccessDenied/],
  ['its answer in words', bytesOf('Entry not found'), /is text, not a checkpoint: Entry not found\.$/],
  ['text with what a terminal obeys', bytesOf('a\u202eb'), /is text, not a checkpoint: a\\u\{202e\}b/],
  ['compressed', bytesOf(0x1f, 0x8b, 8, 0, 0, 0), /is compressed with gzip: unpack it/],
  ['a tar archive', bytesOf('name', new Uint8Array(253), 'ustar', new Uint8Array(250)), /is a tar archive/],
  ['an HDF5 file', bytesOf(0x89, 'HDF\r\n', 0x1a, '\n'), /HDF5 file, such as Keras writes, which is not read\. PyTorch/],
  ['an index of TensorFlow', bytesOf(0, 0, 9, new Uint8Array(60), 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb), /checkpoint of TensorFlow, which is not read/],
  ['a list of checkpoints of TensorFlow', bytesOf('model_checkpoint_path: "model.ckpt-5"\n'), /belongs to a checkpoint of TensorFlow/],
  ['a model of ONNX', bytesOf(0x08, 0x08, 0x12, 0x07, 'pytorch', 0x1a, 3, '2.1'), /may be an ONNX model/],
  ['zeros', new Uint8Array(100), /holds zeros where its format should stand/],
])('a file that is %s', (_, bytes, message) => refused(readEverything(bytes), message)); // prettier-ignore

describe('a storage of PyTorch', () => {
  const intact = new Uint8Array(readFileSync(new URL('data/written/views.pt', import.meta.url)));
  const read = async (bytes: Uint8Array): Promise<unknown[]> => {
    const { tensors } = await openCheckpointFile(bytesAccess(bytes, 'The file'));
    return Promise.all(tensors.map((tensor) => readTensor(tensor)));
  };
  const content = (name: string): number => {
    const text = new TextDecoder('latin1').decode(intact);
    const at = text.indexOf(`/${name}`) - 'archive'.length;
    const header = text.lastIndexOf('PK\x03\x04', at + 7);
    const view = new DataView(intact.buffer);
    return header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
  };

  test('with one wrong bit is refused, by the checksum of its entry', async () => {
    await read(intact);
    const damaged = intact.slice();
    damaged[content('data/0')] ^= 1;
    await refused(read(damaged), /data\/0" of The file is damaged: its checksum does not match/);
  });

  test('is read where the archive was written without any checksum', async () => {
    const bare = intact.slice();
    const view = new DataView(bare.buffer);
    const text = new TextDecoder('latin1').decode(bare);
    for (let at = text.indexOf('PK\x01\x02'); at >= 0; at = text.indexOf('PK\x01\x02', at + 1)) {
      view.setUint32(at + 16, 0, true);
    }
    expect(await read(bare)).toEqual(await read(intact));
  });
});
