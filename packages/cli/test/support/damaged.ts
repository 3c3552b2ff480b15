/** Files that are wrong on purpose: archives, pickles and safetensors made byte by byte. */
import { crc32, deflateRawSync } from 'node:zlib';

const little = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.subarray(0, bytes);
};

/** A file in an archive that is compressed, and how long it claims to be; its own length by default. */
export interface Compressed {
  readonly content: Buffer;
  readonly size?: number;
}

/** A zip file, as those of PyTorch and NumPy are; buffers are stored as they are. */
export function zip(entries: Readonly<Record<string, Buffer | Compressed>>): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, entry] of Object.entries(entries)) {
    const isStored = Buffer.isBuffer(entry);
    const content = isStored ? entry : entry.content;
    const data = isStored ? content : deflateRawSync(content, { level: 9 });
    const size = isStored ? content.length : (entry.size ?? content.length);
    const shared = Buffer.concat([
      ...[
        little(0, 2),
        little(isStored ? 0 : 8, 2),
        little(0, 4),
        little(crc32(content), 4),
        little(data.length, 4),
      ],
      ...[little(size, 4), little(name.length, 2), little(0, 2)],
    ]);
    directory.push(
      ...[little(0x02014b50, 4), little(20, 2), little(20, 2), shared, little(0, 8), little(0, 2)],
      ...[little(at, 4), Buffer.from(name)],
    );
    const file = Buffer.concat([little(0x04034b50, 4), little(20, 2), shared, Buffer.from(name), data]);
    files.push(file);
    at += file.length;
  }
  const records = Buffer.concat(directory);
  const count = little(Object.keys(entries).length, 2);
  const end = [little(0x06054b50, 4), little(0, 4), count, count, little(records.length, 4), little(at, 4)];
  return Buffer.concat([...files, records, ...end, little(0, 2)]);
}

/** A pickle that calls a global with a text, as `__reduce__` makes one. */
export function callingPickle(module: string, name: string, argument: string): Buffer {
  const text = Buffer.concat([Buffer.from('X'), little(argument.length, 4), Buffer.from(argument)]);
  return Buffer.concat([
    ...[Buffer.of(0x80, 2), Buffer.from(`c${module}\n${name}\n(`)],
    ...[text, Buffer.from('tR.')],
  ]);
}

/** A safetensors file with this header, whatever it says. */
export function safetensors(header: unknown, data = Buffer.alloc(16), length?: number): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  return Buffer.concat([little(length ?? json.length, 8), json, data]);
}

/** A `.npy` file of float32 zeros, and more after them. */
export function npy(shape: readonly number[], bytes: number): Buffer {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`.padEnd(117) + '\n';
  return Buffer.concat([
    ...[Buffer.from('\x93NUMPY\x01\x00', 'latin1'), little(text.length, 2)],
    ...[Buffer.from(text), Buffer.alloc(bytes)],
  ]);
}
