/** `meanflow conformance`: the kit on backends of this machine and of its browser, as a matrix of ops and backends. */
import {
  conformanceCommand,
  conformanceCases,
  matrixText,
  type ProgramOptions,
  type ReportSource,
} from '@meanflow/conformance';
import { ArgumentError } from '@meanflow/core';
import { didYouMean } from '@meanflow/core/validation';
import { modelCases } from '@meanflow/parity';
import { DEFAULT_BACKEND } from '@meanflow/runs/names';
import { checkOverwrite, prepareOutput, writeOutput } from '@meanflow/runs/command';
import { sources } from '../conformance/sources.js';
import type { Io } from '../terminal/io.js';
import type { ConformanceCliOptions } from '../commands/conformance.js';

/** @returns the exit status */
export async function conformance(options: ConformanceCliOptions, io: Io): Promise<number> {
  const format = formatOf(options);
  const { op: ops } = options;
  if (ops !== undefined) checkOps(ops);
  const listUnsupported = options.verbose ?? false;
  const required = options.require ?? [];
  const chosen = chosenSources(options);
  if (options.out !== undefined) {
    await prepareOutput(options.out);
    await checkOverwrite([options.out], { confirm: io.confirm, force: options.force });
  }
  const { reports, absences, output, exitCode } = await conformanceCommand(chosen, {
    format,
    listUnsupported,
    cases: modelCases(),
    ...(ops && { filter: ({ op }) => ops.includes(op) }),
    ...((options.seed ?? options.programs) !== undefined && { programs: programsOf(options) }),
    isOptional: (name) => options.all === true && !required.includes(name),
    onResult: (backend, _, done, count) => showProgress(io, backend, done, count),
  });
  if (options.out !== undefined) await writeOutput(options.out, output);
  const shown = options.out === undefined ? output : matrixText(reports, { absences, listUnsupported });
  io.out(shown.endsWith('\n') ? shown : `${shown}\n`);
  const missed = absences
    .map(({ backend }) => backend)
    .filter((name) => !options.all || required.includes(name));
  if (missed.length > 0) io.err(`Asked for, but without a report: ${missed.join(', ')}.\n`);
  return exitCode;
}

const programsOf = ({ seed, programs: times }: ConformanceCliOptions): ProgramOptions => ({
  ...(seed !== undefined && { seed }),
  ...(times !== undefined && { times }),
});

function formatOf({ json, html }: ConformanceCliOptions): 'text' | 'json' | 'html' {
  if (json && html) {
    throw new ArgumentError('Give --json or --html, not both.');
  }
  return json ? 'json' : html ? 'html' : 'text';
}

function checkOps(ops: readonly string[]): void {
  const known = [...new Set(conformanceCases({ cases: modelCases() }).map(({ op }) => op))];
  const unknown = ops.find((op) => !known.includes(op));
  if (unknown === undefined) return;
  throw new ArgumentError(
    `The kit has no op "${unknown}".${didYouMean(unknown, known)} It has ${known.join(', ')}.`,
  );
}

function chosenSources({
  backend: chosen,
  all = false,
  require: required,
}: ConformanceCliOptions): readonly ReportSource[] {
  if (all && chosen !== undefined) throw new ArgumentError('Give --backend or --all, not both.');
  if (!all && required !== undefined) {
    throw new ArgumentError('Give --require with --all. What --backend names must run in any case.');
  }
  const known = sources();
  required?.forEach((name) => known.get(name));
  return all ? [...known] : (chosen ?? [DEFAULT_BACKEND]).map((name) => known.get(name));
}

/** Counts cases where there is a terminal; elsewhere a line tells of each backend that is done. */
function showProgress(io: Io, backend: string, done: number, count: number): void {
  if (io.isInteractive) io.err(done < count ? `\r${backend}: ${done} of ${count} cases` : '\r\u001b[K');
  else if (done === count) io.err(`${backend}: ${count} cases done\n`);
}
