/** The command `meanflow conformance`, but for its options and where its output goes. */
import type { Backend } from '@meanflow/core';
import type { Case } from './cases/case.js';
import { reportsJson } from './report/json.js';
import { matrixHtml } from './report/html.js';
import { matrixText } from './report/matrix.js';
import { conforms, type CaseResult, type Report } from './report/report.js';
import { runConformance } from './run.js';

export interface ConformanceCommandOptions {
  readonly format?: 'text' | 'json' | 'html';
  /** List every unsupported case in the text, not only how many there are for each reason. */
  readonly listUnsupported?: boolean;
  /** Which cases to run; all by default. */
  readonly filter?: (entry: Case) => boolean;
  /** Called after each case of each backend. */
  readonly onResult?: (backend: string, result: CaseResult, done: number, count: number) => void;
}

/** What came of it. */
export interface CommandOutcome {
  readonly reports: readonly Report[];
  /** The matrix in the format that was asked for. */
  readonly output: string;
  /** 0 when every backend conforms, 1 otherwise. */
  readonly exitCode: 0 | 1;
}

/**
 * Runs the kit on backends, one after the other, and writes the matrix.
 *
 * @param open the backends; each is made when its turn comes, and disposed of after it
 */
export async function conformanceCommand(
  open: readonly (() => Promise<Backend>)[],
  options: ConformanceCommandOptions = {},
): Promise<CommandOutcome> {
  const { format = 'text', listUnsupported = false, filter, onResult } = options;
  const reports: Report[] = [];
  for (const make of open) {
    const backend = await make();
    try {
      const report = await runConformance(backend, {
        ...(filter && { filter }),
        ...(onResult && { onResult: (...result) => onResult(backend.name, ...result) }),
      });
      reports.push(report);
    } finally {
      await backend.dispose();
    }
  }
  const write = {
    text: () => matrixText(reports, { listUnsupported }),
    json: () => reportsJson(reports),
    html: () => matrixHtml(reports),
  };
  return { reports, output: write[format](), exitCode: reports.every(conforms) ? 0 : 1 };
}
