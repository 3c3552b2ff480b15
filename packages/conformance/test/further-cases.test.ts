/** Cases beside the kit's own, here and on the other side of a process; and the functions of a test runner. */
import { ArgumentError, mul, referenceBackend, type Tensor } from '@meanflow/core';
import { behaviour, expect as demand, valueCase } from '../src/cases.js';
import {
  conformanceCases,
  describeConformance,
  remoteReport,
  runConformance,
  serveConformance,
  type RemoteMessage,
} from '../src/index.js';
import { floats } from '../src/testing.js';

const cases = [
  valueCase(
    'mine',
    'twice',
    (x: Tensor) => mul(x, 2),
    () => [floats([1, 2])],
  ),
  behaviour('mine', 'errors', 'has a name', async ({ name }) =>
    demand(name === 'reference', `It is called ${name}.`),
  ),
];
const filter = ({ op }: { readonly op: string }) => op === 'mine';

test('they are run like others', async () => {
  const { results } = await runConformance(referenceBackend(), { cases, filter });
  expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['mine: twice', 'passed'],
    ['mine: has a name', 'passed'],
  ]);
  const other = await runConformance({ ...referenceBackend(), name: 'other' }, { cases, filter });
  expect(other.results[1]).toMatchObject({ outcome: 'failed', detail: 'Violation: It is called other.' });
});

test('two of one id are refused', () => {
  expect(() => conformanceCases({ cases: [...cases, ...cases] })).toThrow(ArgumentError);
  const [first] = conformanceCases();
  expect(() => conformanceCases({ cases: [first] })).toThrow(`Two cases have the id "${first.id}"`);
});

test('the other side of a process is given the same, or says which it has not', async () => {
  const report = (further: typeof cases) =>
    remoteReport('far', { cases, filter }, ({ cases: ids, hear }) => {
      void serveConformance(
        async () => referenceBackend(),
        ids,
        (message: RemoteMessage) => hear(message),
        further,
      );
    });
  expect((await report(cases)).results).toHaveLength(2);
  await expect(report([])).rejects.toThrow('The kit has no case "mine: twice".');
});

describe('the functions of a test runner', () => {
  /** What is called at the end, and the titles of the tests. */
  function define(name: 'afterAll' | 'after') {
    const [ends, titles]: [(() => Promise<void>)[], string[]] = [[], []];
    const end = (run: () => Promise<void>) => void ends.push(run);
    const shared = {
      describe: (_: string, define: () => void) => define(),
      test: (title: string) => void titles.push(title),
    };
    describeConformance(
      () => referenceBackend(),
      name === 'after'
        ? { ...shared, after: end, cases, filter }
        : { ...shared, afterAll: end, cases, filter },
    );
    return { ends, titles };
  }

  test('what comes last has one of two names', () => {
    for (const name of ['afterAll', 'after'] as const) {
      const { ends, titles } = define(name);
      expect(ends).toHaveLength(1);
      expect(titles).toEqual(['mine, values', 'mine, errors']);
    }
  });

  test('one that is missing is named', () => {
    // @ts-expect-error Nothing would dispose of the backend.
    expect(() => describeConformance(() => referenceBackend(), { describe, test })).toThrow(
      /has no afterAll or after: .*node:test/,
    );
  });
});
