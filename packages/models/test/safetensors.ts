/** Reads the test data: a safetensors file as host arrays by name. */
import { readFileSync } from 'node:fs';
import { HostArray, type HostDType } from '@meanflow/core';

const types = { F32: ['float32', Float32Array], F64: ['float64', Float64Array], I32: ['int32', Int32Array] } as const; // prettier-ignore

export function readSafetensors(name: string): Record<string, HostArray> {
  const bytes = readFileSync(new URL(`./data/${name}.safetensors`, import.meta.url));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: keyof typeof types; shape: number[]; data_offsets: [number, number] }
  >;
  const arrays = Object.entries(header).map(([key, { dtype, shape, data_offsets }]) => {
    const [start, end] = data_offsets.map((offset) => offset + 8 + length);
    const [hostType, Values] = types[dtype];
    const values = new Values(new Uint8Array(bytes.subarray(start, end)).buffer);
    return [key, new HostArray<HostDType>(hostType, shape, values)] as const;
  });
  return Object.fromEntries(arrays);
}
