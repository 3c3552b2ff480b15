/** Files by ranges: in pieces that the operating system gives, and larger than it gives at once. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataError, hostArray, RandomKey } from '@meanflow/core';
import { encodeSafetensors, readSafetensors, readTensor, verifyTensors } from '../src/index.js';
import { crc32, safetensorsLayout } from '../src/build.js';
import { portableCrc32 } from '../src/checksums.js';
import { fileAccess } from '../src/node.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'formats-'))));
afterAll(() => rm(folder, { recursive: true }));

it('are read by as little at a time as they come', async () => {
  const tensors = { a: RandomKey.fromSeed(1).normal([7, 5]), b: hostArray([1, 0, 1], { dtype: 'bool' }) };
  const path = join(folder, 'small');
  await writeFile(path, encodeSafetensors(tensors, {}, { checksums: true }));
  for (const chunkBytes of [1, 3, 64]) {
    const file = await readSafetensors(await fileAccess(path, { chunkBytes }));
    for (const tensor of file.tensors) {
      expect(await readTensor(tensor)).toEqual(tensors[tensor.name as keyof typeof tensors]);
    }
    await verifyTensors(file);
  }
});

it('may be longer than 2 GiB, which no read of the operating system is', async () => {
  // Sparse: what is not written is zeros, and takes no room.
  const path = join(folder, 'large');
  const long = 2 ** 31 + 64;
  const layout = safetensorsLayout([
    { name: 'a', dtype: 'U8', shape: [long] },
    { name: 'b', dtype: 'F32', shape: [2] },
  ]);
  const file = await open(path, 'w');
  await file.write(layout.header);
  const end = layout.header.length + 8 + long;
  await file.truncate(end);
  // Wide elements come first: `b` begins where the header ends.
  await file.write(new Uint8Array(Float32Array.of(1.5, -2).buffer), 0, 8, layout.header.length);
  await file.write(Uint8Array.of(7), 0, 1, end - 1);
  await file.close();
  const access = await fileAccess(path);
  const { tensors } = await readSafetensors(access);
  expect([...(await readTensor(tensors.find(({ name }) => name === 'b')!)).data]).toEqual([1.5, -2]);
  expect(await access.read(end - 3, 3)).toEqual(Uint8Array.of(0, 0, 7));
});

it('that are none, or are not there, are named at once', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await symlink('loop', join(folder, 'loop'));
  for (const [name, message] of [
    ['pipe', 'it is a pipe, not a file'],
    ['', 'it is a folder, not a file'],
    ['nothing', 'there is no such file'],
    ['loop', 'leads back to itself'],
    ['a\0b', 'cannot be read'],
  ] as const) {
    const opened = fileAccess(join(folder, name));
    await expect(opened).rejects.toThrow(DataError);
    await expect(opened).rejects.toThrow(message);
  }
});

it('have checksums that are the same with Node and without', () => {
  for (const length of [0, 1, 15, 16, 17, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    expect(portableCrc32(bytes)).toBe(crc32(bytes));
    expect(portableCrc32(bytes.subarray(5), portableCrc32(bytes.subarray(0, 5)))).toBe(crc32(bytes));
  }
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});
