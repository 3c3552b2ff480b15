/**
 * describeConformance: the kit as tests of a backend's own suite, by one call. The test functions are passed in, so that the kit
 * depends on no test runner: `{ describe, test, afterAll }` of Jest or Vitest, `{ describe, test, after }` of node:test.
 * describeReport defines the same tests for a report that comes from elsewhere.
 */
import { ArgumentError, type Backend } from '@meanflow/core';
import type { Case } from './cases/case.js';
import { conformanceCases } from './cases/index.js';
import type { CaseResult, Report } from './report/report.js';
import { runCase, type ConformanceOptions } from './run.js';

/** What tests without an end need of a test runner. */
export interface SuiteFunctions {
  describe(name: string, define: () => void): unknown;
  /** @param timeout milliseconds; node:test, which sets no limit of its own, has no such argument and takes no notice of it */
  test(name: string, run: () => Promise<void>, timeout?: number): unknown;
}

/**
 * What the kit needs of a test runner. The functions of Jest, Vitest and Bun fit as they are, and under their own name those of
 * node:test; of Mocha `{ describe, test: it, after }`.
 */
export type TestFunctions = SuiteFunctions &
  (
    | { afterAll(run: () => Promise<void>, timeout?: number): unknown }
    | { after(run: () => Promise<void>): unknown }
  );

export type DescribeOptions = TestFunctions &
  Pick<ConformanceOptions, 'filter' | 'unsupported' | 'cases'> & {
    /** Name of the suite; `conformance` by default. */
    readonly name?: string;
    /** Milliseconds for one test, which is all cases of one op of one aspect; 120,000 by default. */
    readonly timeout?: number;
  };

/**
 * Defines a suite with one test for each op and aspect; a test fails with the list of its failed cases.
 *
 * @param open makes the backend; called once, and the backend is disposed of at the end
 * @throws {ArgumentError} when a function of the test runner is missing
 */
export function describeConformance(open: () => Promise<Backend> | Backend, options: DescribeOptions): void {
  const { describe, test, unsupported, name = 'conformance', timeout = 120_000 } = options;
  const atEnd = endOf(options);
  let opened: Promise<Backend> | undefined;
  const backend = (): Promise<Backend> => (opened ??= (async () => open())());
  describe(name, () => {
    atEnd(async () => (await opened)?.dispose(), timeout);
    for (const [title, cases] of groups(options)) {
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

/** The runner's function for what is done after all tests. */
function endOf(functions: TestFunctions): (run: () => Promise<void>, timeout: number) => unknown {
  const { describe, test } = functions;
  const end = 'afterAll' in functions ? functions.afterAll : functions.after;
  const named = { describe, test, 'afterAll or after': end };
  const missing = Object.entries(named).find(([, given]) => typeof given !== 'function');
  if (missing === undefined) return end;
  throw new ArgumentError(
    `describeConformance is given the test runner's functions, and has no ${missing[0]}: pass { describe, test, afterAll } in Jest and ` +
      'Vitest, { describe, test, after } in node:test.',
  );
}

export interface DescribeReportOptions extends SuiteFunctions, Pick<ConformanceOptions, 'filter' | 'cases'> {
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
  run: (options: Pick<ConformanceOptions, 'filter' | 'cases'>) => Promise<Report>,
  options: DescribeReportOptions,
): void {
  const { describe, test, filter, cases: further, name, timeout = 1_200_000 } = options;
  const chosen = { ...(filter && { filter }), ...(further && { cases: further }) };
  let made: Promise<Report> | undefined;
  const report = (): Promise<Report> => (made ??= run(chosen));
  describe(name, () => {
    for (const [title, cases] of groups(chosen)) {
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

/** The cases that are chosen, by the test that they belong to. */
function groups({
  filter = () => true,
  ...options
}: Pick<ConformanceOptions, 'filter' | 'cases'>): Map<string, Case[]> {
  const found = new Map<string, Case[]>();
  for (const entry of conformanceCases(options).filter(filter)) {
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
