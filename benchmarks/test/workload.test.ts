/** Every case's numbers: as workers read them, they are what was made; and they are worth comparing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { treePaths, type HostArray } from '@meanflow/core';
import { readCase, writeCase } from '../src/case-folder.js';
import { cases, imageDit, type Case } from '../src/cases.js';
import { makeWorkload } from '../src/workload.js';

const bytes = ({ data }: HostArray): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
/** A case with a network that is quickly made. */
const small = (name: string): Case => {
  const found = cases.find((each) => each.name === name)!;
  const network = imageDit({ width: 16, depth: 1, heads: 2 });
  return found.network.kind === 'dit' ? { ...found, network } : found;
};

test.each(['w1', 'w2_imf', 'w2_fm', 'sample_1'])('%s', (name) => {
  const benchmark = small(name);
  const folder = mkdtempSync(join(tmpdir(), 'meanflow-case-'));
  try {
    writeCase(folder, benchmark);
    const [read, made] = [readCase(folder), makeWorkload(benchmark)];
    expect(read.benchmark).toMatchObject(benchmark);
    const names = Object.keys(made.arrays);
    expect(Object.keys(read.arrays).sort()).toEqual(names.sort());
    const differing = names.filter((name) => !bytes(read.arrays[name]!).equals(bytes(made.arrays[name]!)));
    expect(differing).toEqual([]);
    const [found, params] = [read.params, made.params].map((tree) => treePaths<HostArray>(tree));
    expect(found!.map(({ path }) => path)).toEqual(params!.map(({ path }) => path));
    // A parameter of zeros would hide what is wrong behind it.
    for (const { leaf } of params!) expect(leaf.data.every((value) => value !== 0)).toBe(true);
    const { t, r } = made.arrays;
    if (benchmark.task === 'sample') expect(t).toBeUndefined();
    else {
      const equal = t!.data.reduce((count, value, i) => count + Number(value === r!.data[i]), 0);
      const share = { meanflow: 0.75, 'improved-meanflow': 0.5, 'flow-matching': 1 }[benchmark.objective];
      expect(equal).toBe(share * benchmark.batch);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('names of cases are different', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});
