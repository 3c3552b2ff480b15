/** A kernel broken on purpose: the kit names the op. docs/conformance/mutations.md shows these and others. */
import { runConformance, type Case, type CaseResult } from '@meanflow/conformance';
import type { TfjsDevice } from '../src/index.js';
import { kernels } from '../src/kernels/table.js';
import { elementwise } from '../src/webgpu/functions.js';
import { noWebgpu, open } from './support.js';

/** Skipped where there is no WebGPU, with the reason. */
const onWebgpu =
  noWebgpu === undefined
    ? test
    : (name: string, run: () => Promise<void>) => test.skip(`${name}: ${noWebgpu}`, run);

/** The failing cases, of all that compare a graph and are chosen. */
async function failing(device: TfjsDevice, choose: (entry: Case) => boolean): Promise<CaseResult[]> {
  const opened = await open(device);
  const { results } = await runConformance(opened, {
    filter: (entry) => entry.kind === 'graph' && choose(entry),
  });
  await opened.dispose();
  expect(results.length).toBeGreaterThan(30);
  return results.filter(({ outcome }) => outcome === 'failed');
}

/** Replaces one row of a table while `use` runs. */
async function withRow<Table extends object, K extends keyof Table, T>(
  table: Table,
  name: K,
  replace: (original: Table[K]) => Table[K],
  use: () => Promise<T>,
): Promise<T> {
  const original = table[name];
  Object.assign(table, { [name]: replace(original) });
  try {
    return await use();
  } finally {
    Object.assign(table, { [name]: original });
  }
}

test('a convolution on tfjs:cpu with padding before and after exchanged', async () => {
  const exchanged =
    (original: typeof kernels.conv2d): typeof kernels.conv2d =>
    (context) => {
      const { attributes } = context;
      const [[top, bottom], [left, right]] = attributes.padding;
      const padding = [[bottom, top], [right, left]] as const; // prettier-ignore
      return original({ ...context, attributes: { ...attributes, padding } });
    };
  const results = await withRow(kernels, 'conv2d', exchanged, () =>
    failing('cpu', ({ features }) => !features.includes('large')),
  );
  expect(new Set(results.map(({ op }) => op))).toEqual(new Set(['conv']));
  const ids = results.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['conv: uneven padding', 'conv: gradient, padding']));
  // Where both are the same, nothing changes.
  expect(ids).not.toContain('conv: depthwise');
});

onWebgpu('a minimum on tfjs:webgpu that drops NaN', async () => {
  const dropping =
    () =>
    ([a, b]: readonly string[]) =>
      `min(${a}, ${b})`;
  const results = await withRow(elementwise, 'minimum', dropping, () =>
    failing('webgpu', ({ features }) => features.includes('nan')),
  );
  expect(results.map(({ id }) => id)).toEqual(['minimum: nan', 'minimum: every magnitude']);
});
