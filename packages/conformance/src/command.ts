/** The command `meanflow conformance`, but for its options and where its output goes. */
import type { Backend } from '@meanflow/core';
import type { Case } from './cases/case.js';
import type { CaseOptions } from './cases/index.js';
import { reportsJson } from './report/json.js';
import { matrixHtml } from './report/html.js';
import { matrixText } from './report/matrix.js';
import { absence, conforms, type Absence, type CaseResult, type Report } from './report/report.js';
import { runConformance, type ConformanceOptions } from './run.js';

/** Something that yields a report: a backend in this process, in another one, in a browser. */
export interface ReportSource {
  /** What the report calls the backend. */
  readonly name: string;
  /**
   * Runs the kit.
   *
   * @throws {BackendError} when the backend does not run here
   */
  run(options: Pick<ConformanceOptions, 'filter' | 'programs' | 'cases' | 'onResult'>): Promise<Report>;
}

/** A backend in this process; made when its turn comes, and disposed of after it. */
export function backendSource(name: string, open: () => Promise<Backend>): ReportSource {
  return {
    name,
    run: async (options) => {
      const backend = await open();
      try {
        return { ...(await runConformance(backend, options)), backend: name };
      } finally {
        await backend.dispose();
      }
    },
  };
}

export interface ConformanceCommandOptions extends CaseOptions {
  readonly format?: 'text' | 'json' | 'html';
  /** List every unsupported case in the text, not only how many there are for each reason. */
  readonly listUnsupported?: boolean;
  /** Which cases to run; all by default. */
  readonly filter?: (entry: Case) => boolean;
  /** The sources that may not run here: their absence is told, and is no failure. None by default. */
  readonly isOptional?: (name: string) => boolean;
  /** Called after each case of each backend. */
  readonly onResult?: (backend: string, result: CaseResult, done: number, count: number) => void;
}

/** What came of it. */
export interface CommandOutcome {
  readonly reports: readonly Report[];
  /** The sources that gave no report. */
  readonly absences: readonly Absence[];
  /** The matrix in the format that was asked for. */
  readonly output: string;
  /** 0 when every backend conforms and none is absent that must be here, 1 otherwise. */
  readonly exitCode: 0 | 1;
}

/**
 * Runs the kit on backends, one after the other, and writes the matrix.
 *
 * @throws what the first source threw, when no source gives a report
 */
export async function conformanceCommand(
  sources: readonly ReportSource[],
  options: ConformanceCommandOptions = {},
): Promise<CommandOutcome> {
  const {
    format = 'text',
    listUnsupported = false,
    filter,
    programs,
    cases,
    onResult,
    isOptional = () => false,
  } = options;
  const reports: Report[] = [];
  const absences: Absence[] = [];
  const errors: unknown[] = [];
  for (const { name, run } of sources) {
    try {
      const report = await run({
        ...(filter && { filter }),
        ...(programs && { programs }),
        ...(cases && { cases }),
        ...(onResult && { onResult: (...result) => onResult(name, ...result) }),
      });
      reports.push(report);
    } catch (error) {
      errors.push(error);
      absences.push(absence(name, error));
    }
  }
  if (reports.length === 0 && errors.length > 0) throw errors[0];
  const write = {
    text: () => matrixText(reports, { absences, listUnsupported }),
    json: () => reportsJson(reports, absences),
    html: () => matrixHtml(reports, absences),
  };
  const isMissed = ({ backend, isUnavailable }: Absence): boolean => !isUnavailable || !isOptional(backend);
  const isGood = reports.every(conforms) && !absences.some(isMissed);
  return { reports, absences, output: write[format](), exitCode: isGood ? 0 : 1 };
}
