/**
 * describeConformance: the kit as tests of a backend's own suite, by one call. The test functions are passed in, so that
 * the kit depends on no test runner: `describeConformance(open, { describe, test, afterAll })` in Jest, Vitest or others.
 * describeReport defines the same tests for a report that comes from elsewhere.
 */
import type { Backend } from '@meanflow/core';
import type { Case } from './cases/case.js';
import { conformanceCases } from './cases/index.js';
import type { CaseResult, Report } from './report/report.js';
import { runCase, type ConformanceOptions } from './run.js';

/** What the kit needs of a test runner. */
export interface TestFunctions {
  describe(name: string, define: () => void): unknown;
  test(name: string, run: () => Promise<void>, timeout?: number): unknown;
  afterAll(run: () => Promise<void>, timeout?: number): unknown;
}

export interface DescribeOptions extends TestFunctions, Pick<ConformanceOptions, 'filter' | 'unsupported'> {
  /** Name of the suite; `conformance` by default. */
  readonly name?: string;
  /** Milliseconds for one test, which is all cases of one op of one aspect; 120,000 by default. */
  readonly timeout?: number;
}

/**
 * Defines a suite with one test for each op and aspect; a test fails with the list of its failed cases.
 *
 * @param open makes the backend; called once, and the backend is disposed of at the end
 */
export function describeConformance(open: () => Promise<Backend> | Backend, options: DescribeOptions): void {
  const {
    describe,
    test,
    afterAll,
    filter = () => true,
    unsupported,
    name = 'conformance',
    timeout = 120_000,
  } = options;
  let opened: Promise<Backend> | undefined;
  const backend = (): Promise<Backend> => (opened ??= Promise.resolve(open()));
  describe(name, () => {
    afterAll(async () => opened && (await opened).dispose(), timeout);
    for (const [title, cases] of groups(conformanceCases().filter(filter))) {
      test(
        title,
        async () => {
          const failures: CaseResult[] = [];
          for (const entry of cases) {
            const result = await runCase(await backend(), entry, unsupported);
            if (result.outcome === 'failed') failures.push(result);
          }
          if (failures.length > 0) throw new Error(failureList(title, cases.length, failures));
        },
        timeout,
      );
    }
  });
}

export interface DescribeReportOptions
  extends Pick<TestFunctions, 'describe' | 'test'>, Pick<ConformanceOptions, 'filter'> {
  /** Name of the suite. */
  readonly name: string;
  /** Milliseconds for the whole report, which the first test waits for; 20 minutes by default. */
  readonly timeout?: number;
}

/**
 * Defines a suite with one test for each op and aspect, from the report of a backend that is elsewhere.
 *
 * @param run makes the report; called once, by the first test
 */
export function describeReport(
  run: (options: Pick<ConformanceOptions, 'filter'>) => Promise<Report>,
  options: DescribeReportOptions,
): void {
  const { describe, test, filter = () => true, name, timeout = 1_200_000 } = options;
  let made: Promise<Report> | undefined;
  const report = (): Promise<Report> => (made ??= run({ filter }));
  describe(name, () => {
    for (const [title, cases] of groups(conformanceCases().filter(filter))) {
      test(
        title,
        async () => {
          const { results, ended = 'of its own accord' } = await report();
          const found = new Map(results.map((result) => [result.id, result]));
          const lost = ({ id, op, aspect }: Case): CaseResult => ({
            ...{ id, op, aspect },
            outcome: 'failed',
            detail: `It was not reached: the run ended ${ended}.`,
            seconds: 0,
          });
          const failures = cases
            .map((entry) => found.get(entry.id) ?? lost(entry))
            .filter(({ outcome }) => outcome === 'failed');
          if (failures.length > 0) throw new Error(failureList(title, cases.length, failures));
        },
        timeout,
      );
    }
  });
}

function groups(cases: readonly Case[]): Map<string, Case[]> {
  const found = new Map<string, Case[]>();
  for (const entry of cases) {
    const title = entry.op === entry.aspect ? entry.op : `${entry.op}, ${entry.aspect}`;
    found.set(title, [...(found.get(title) ?? []), entry]);
  }
  return found;
}

function failureList(title: string, count: number, failures: readonly CaseResult[]): string {
  const lines = failures.map(({ id, detail, worst }) => {
    const error = worst === undefined ? '' : ` (error ${worst.toPrecision(3)} times its tolerance)`;
    return `  ${id}${error}\n    ${detail ?? ''}`;
  });
  return `${title}: ${failures.length} of ${count} cases failed.\n${lines.join('\n')}`;
}
