/**
 * Reads the expected values beside the tests. Each file says how it was computed.
 */
import { readFileSync } from 'node:fs';
import { HostArray, hostArray, type NestedNumbers } from '@meanflow/core';

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`data/${file}`, import.meta.url), 'utf8')) as T;
}

/** Points as they stand in JSON, in float64 as they were computed with. */
export function points(rows: NestedNumbers): HostArray<'float64'> {
  return hostArray(rows, { dtype: 'float64' });
}

/** The float32 tensors of a safetensors file: eight bytes of header length, a JSON header, the data. */
export function readTensors(file: string): Record<string, HostArray<'float32'>> {
  const bytes = readFileSync(new URL(`data/${file}`, import.meta.url));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const tensors: Record<string, HostArray<'float32'>> = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (dtype !== 'F32') continue;
    const data = new Float32Array((offsets[1] - offsets[0]) / 4);
    for (let i = 0; i < data.length; i++) data[i] = bytes.readFloatLE(start + offsets[0] + 4 * i);
    tensors[name] = new HostArray('float32', shape, data);
  }
  return tensors;
}
