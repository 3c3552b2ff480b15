/** runConformance: every case on a backend, one after the other, to a report. It never throws for what a backend does. */
import { BackendError, type Backend, type Graph, type HostArray } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import type { Case, Finding, GraphCheck, Unsupported } from './cases/case.js';
import { conformanceCases, type CaseOptions } from './cases/index.js';
import { largestMagnitude } from './numerics/magnitude.js';
import { compare, type Comparison } from './numerics/compare.js';
import { expectations, type Expectation } from './numerics/tolerance.js';
import type { CaseResult, Report } from './report/report.js';
import { declarationsOf, findExemption, findMissingOps, findRefusedOp } from './unsupported.js';

export interface ConformanceOptions extends CaseOptions {
  /** Which cases to run; all by default. */
  readonly filter?: (entry: Case) => boolean;
  /** What the backend is known not to support; its own `unsupported`, if it has it, by default. */
  readonly unsupported?: readonly Unsupported[];
  /** Called after each case. */
  readonly onResult?: (result: CaseResult, done: number, count: number) => void;
}

/**
 * Runs the kit.
 *
 * @returns results in the order of the cases; whatever the backend throws is the failure of its case
 */
export async function runConformance(backend: Backend, options: ConformanceOptions = {}): Promise<Report> {
  const { filter = () => true } = options;
  return runCases(backend, conformanceCases(options).filter(filter), options);
}

/** Runs some cases. */
export async function runCases(
  backend: Backend,
  cases: readonly Case[],
  options: Pick<ConformanceOptions, 'unsupported' | 'onResult'> = {},
): Promise<Report> {
  const { onResult } = options;
  const unsupported = options.unsupported ?? declarationsOf(backend);
  const results: CaseResult[] = [];
  for (const entry of cases) {
    const result = await runCase(backend, entry, unsupported);
    results.push(result);
    onResult?.(result, results.length, cases.length);
  }
  return { backend: backend.name, device: backend.describe(), results };
}

/** Runs one case. */
export async function runCase(
  backend: Backend,
  entry: Case,
  unsupported: readonly Unsupported[] = declarationsOf(backend),
): Promise<CaseResult> {
  const { id, op, aspect } = entry;
  const start = performance.now();
  const result = (rest: Pick<CaseResult, 'outcome'> & Partial<CaseResult>): CaseResult => ({
    ...{ id, op, aspect },
    ...rest,
    seconds: (performance.now() - start) / 1000,
  });
  const exemption = findExemption(entry, unsupported);
  if (exemption !== undefined) return result({ outcome: 'unsupported', reason: exemption.reason });
  try {
    const finding =
      entry.kind === 'graph'
        ? await runGraph(backend, entry.build(), unsupported)
        : await entry.check(backend, unsupported);
    if (finding.unsupported !== undefined)
      return result({ outcome: 'unsupported', reason: finding.unsupported });
    const { worst, detail } = finding;
    return result({
      outcome: worst === undefined || worst <= 1 ? 'passed' : 'failed',
      ...(worst !== undefined && { worst }),
      ...(detail !== undefined && { detail }),
    });
  } catch (error) {
    const refused = entry.kind === 'behaviour' ? findRefusedOp(error, unsupported) : undefined;
    if (refused !== undefined) return result({ outcome: 'unsupported', reason: refused.reason });
    const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return result({ outcome: 'failed', detail });
  }
}

async function runGraph(
  backend: Backend,
  check: GraphCheck,
  unsupported: readonly Unsupported[],
): Promise<Finding> {
  const missing = findMissingOps(check.graph, unsupported);
  if (missing.length > 0) return { unsupported: await mustRefuse(backend, check.graph, missing) };
  const outputs = await outputsOf(backend, check);
  const expected = expectationsOf(check);
  const alternative = check.alternative && interpret(check.graph, check.alternative);
  let worst: Comparison = { worst: 0, detail: undefined };
  for (const [name, expectation] of Object.entries(expected)) {
    const accepted = alternative
      ? withAlternative(outputs[name]!, expectation, alternative[name]!)
      : expectation;
    const comparison = compare(name, outputs[name]!, accepted);
    if (comparison.worst > worst.worst) worst = comparison;
  }
  return worst;
}

async function outputsOf(
  backend: Backend,
  { graph, inputs }: GraphCheck,
): Promise<Record<string, HostArray>> {
  const executable = await backend.compile(graph);
  try {
    const outputs = await executable.run(inputs);
    const read: [string, HostArray][] = [];
    for (const [name, array] of Object.entries(outputs)) {
      read.push([name, await array.read()]);
      array.dispose();
    }
    return Object.fromEntries(read);
  } finally {
    await executable.dispose();
  }
}

/** Exact outputs and tolerances, the oracle's own error included. */
function expectationsOf({
  graph,
  inputs,
  known,
  oracleError = 0,
}: GraphCheck): Readonly<Record<string, Expectation>> {
  const expected = expectations(graph, inputs, known);
  for (const { value, tolerance } of Object.values(expected)) {
    const error = oracleError > 0 ? oracleError * Math.max(1, largestMagnitude(value)) : 0;
    for (let i = 0; i < tolerance.length; i++) tolerance[i]! += error;
  }
  return expected;
}

/** The other accepted value wherever the result is that; NaN is NaN. */
function withAlternative(got: HostArray, { value, tolerance }: Expectation, other: HostArray): Expectation {
  if (got.size !== value.size) return { value, tolerance };
  const accepted = value.clone();
  for (let i = 0; i < accepted.size; i++) {
    const flushed = Math.fround(other.data[i]!);
    const isNaN = Number.isNaN(got.data[i]) && Number.isNaN(flushed);
    if (isNaN || got.data[i] === flushed) accepted.data[i] = other.data[i]!;
  }
  return { value: accepted, tolerance };
}

/**
 * A backend that declares ops unsupported must say so when it compiles a graph with some of them, whichever it meets first.
 *
 * @returns the reason of the one that it named
 */
async function mustRefuse(backend: Backend, graph: Graph, missing: readonly Unsupported[]): Promise<string> {
  let error: unknown;
  try {
    const executable = await backend.compile(graph);
    await executable.dispose();
  } catch (caught) {
    error = caught;
  }
  const named = findRefusedOp(error, missing);
  if (named !== undefined) return named.reason;
  const shown = error === undefined ? 'it compiled' : String(error);
  const ops = missing.map(({ op }) => `"${op}"`).join(' and ');
  const [are, them] = missing.length > 1 ? ['are', 'one of them'] : ['is', 'it'];
  throw new BackendError(
    `${ops} ${are} declared unsupported, so compiling a graph of ${missing.length > 1 ? 'them' : 'it'} must be refused with a ` +
      `BackendError that names ${them}; ${shown}.`,
  );
}
