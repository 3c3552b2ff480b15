import { primitiveNames } from '@meanflow/core/backend';
import { conformanceCases, roundoff } from '../src/index.js';

const cases = conformanceCases();

test('ids are unique', () => {
  const ids = cases.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every primitive has cases of its own', () => {
  const covered = new Set(cases.map(({ op }) => op));
  expect(primitiveNames.filter((name) => !covered.has(name))).toEqual([]);
});

test('every primitive occurs in the graphs of its cases', () => {
  const missing = primitiveNames.filter((name) => {
    const own = cases.filter(({ op, kind }) => op === name && kind === 'graph');
    return !own.some((entry) => entry.kind === 'graph' && entry.build().graph.stats().ops[name]! > 0);
  });
  expect(missing).toEqual([]);
});

test('every primitive that is not exact has its derivative checked', () => {
  const checked = new Set(cases.filter(({ aspect }) => aspect === 'derivatives').map(({ op }) => op));
  const rounding = primitiveNames.filter((name) => roundoff[name].bound !== undefined && name !== 'constant');
  expect(rounding.filter((name) => !checked.has(name))).toEqual([]);
});

test.each(primitiveNames.filter((name) => !['constant', 'stopGradient', 'optimizationBarrier'].includes(name)))(
  '%s is tested without elements and at rank 5 or as many axes as it can have',
  (name) => {
    const features = new Set(cases.filter(({ op }) => op === name).flatMap((entry) => entry.features));
    expect(features).toContain('zero-size');
  },
); // prettier-ignore

test('building a case again gives the same case', () => {
  for (const entry of cases.filter((_, i) => i % 97 === 0)) {
    if (entry.kind !== 'graph') continue;
    const [first, second] = [entry.build(), entry.build()];
    expect(first.graph.toString()).toBe(second.graph.toString());
    expect(first.inputs).toEqual(second.inputs);
  }
});
