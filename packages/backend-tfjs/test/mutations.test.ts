/**
 * A kernel broken on purpose: the kit names the op; a fusion or an index rule, which no op is to blame for: its random
 * programs show it. docs/conformance/mutations.md shows these and others.
 */
import { conformanceCases, runCase, runConformance, type Case, type CaseResult } from '@meanflow/conformance';
import type { TfjsDevice } from '../src/index.js';
import { kernels } from '../src/kernels/table.js';
import { elementwise } from '../src/webgpu/functions.js';
import { Index } from '../src/webgpu/index-expression.js';
import { Scope } from '../src/webgpu/scope.js';
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

/** Puts another method in the place of one while `use` runs. */
async function withMethod<T>(
  prototype: object,
  name: string,
  replace: (original: (...given: never[]) => unknown) => (...given: never[]) => unknown,
  use: () => Promise<T>,
): Promise<T> {
  const methods = prototype as Record<string, (...given: never[]) => unknown>;
  const original = methods[name];
  methods[name] = replace(original);
  try {
    return await use();
  } finally {
    methods[name] = original;
  }
}

/** The first failing batch of random programs of movements. */
async function firstFailingProgram(): Promise<CaseResult | undefined> {
  const opened = await open('webgpu');
  try {
    for (const entry of conformanceCases().filter(({ op }) => op === 'programs/movements')) {
      const result = await runCase(opened, entry);
      if (result.outcome === 'failed') return result;
    }
    return undefined;
  } finally {
    await opened.dispose();
  }
}

onWebgpu('an index rule on tfjs:webgpu that divides a falling index as if it rose', async () => {
  const found = await withMethod(Index.prototype, 'multiplesBelowZero', () => () => 0, firstFailingProgram);
  expect(found?.detail).toContain('The least that still fails');
  expect(found!.detail).toMatch(/= reverse\(/);
});

onWebgpu('a fusion on tfjs:webgpu that takes what it computed at one index for another', async () => {
  // The key of what is known is its storage and its place; of the place only the length is looked at.
  const blurred = (find: (...given: never[]) => unknown) =>
    function (this: Scope, ...[key]: never[]): unknown {
      const known = (this as unknown as { readonly known: ReadonlyMap<string, string> }).known;
      const [storage] = (key as string).split(' ');
      const alike = [...known.keys()].find(
        (other) => other.split(' ')[0] === storage && other.length === (key as string).length,
      );
      return find.call(this, (alike ?? key) as never);
    };
  const found = await withMethod(Scope.prototype, 'find', blurred, firstFailingProgram);
  expect(found?.detail).toContain('The least that still fails');
});
