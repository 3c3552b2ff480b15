/** `meanflow conformance`: the kit on backends of this machine and of its browser, as a matrix of ops and backends. */
import {
  conformanceCommand,
  conformanceCases,
  DEFAULT_SEED,
  matrixText,
  type ProgramOptions,
  type ReportSource,
} from '@meanflow/conformance';
import { ArgumentError, didYouMean } from '@meanflow/core';
import type { Command } from 'commander';
import { checkOverwrite, DEFAULT_BACKEND, prepareOutput, writeOutput } from '@meanflow/runs/node';
import { findSource, sources } from '../conformance/sources.js';
import type { Io } from '../terminal/io.js';
import type { SetExitCode } from './command.js';
import { forceOption, names, wholeNumber } from './options.js';

interface ConformanceCliOptions {
  readonly backend?: string[];
  readonly all?: boolean;
  readonly require?: string[];
  readonly op?: string[];
  readonly seed?: number;
  readonly programs?: number;
  readonly json?: boolean;
  readonly html?: boolean;
  readonly out?: string;
  readonly force?: boolean;
  readonly verbose?: boolean;
}

export function addConformance(program: Command, io: Io, exit: SetExitCode): void {
  program
    .command('conformance')
    .summary('prove that a backend computes what it should')
    .description(
      'Run the conformance kit: every op over dtypes, ranks, layouts and special numbers, every derivative and composite, train steps, ' +
        'samplers, state, memory and errors. Prints the worst error of each op in units of its tolerance, the time, and what is ' +
        'unsupported and why. Each backend runs in a process of its own; those called chromium/… run in headless Chromium, which is ' +
        'looked for on the PATH and at CHROMIUM_PATH. Ends with status 1 when anything is wrong.',
    )
    .option(
      '--backend <names>',
      `one or several, such as ort:cpu,chromium/ort:wasm; ${DEFAULT_BACKEND} by default`,
      names,
    ) // prettier-ignore
    .option('--all', 'every backend that runs here; the others are named with the reason')
    .option('--require <names>', 'with --all: backends whose absence is an error', names)
    .option('--op <names>', 'only the cases of these ops', names)
    .option('--seed <number>', `seed of the random programs; ${DEFAULT_SEED} by default`, wholeNumber(0))
    .option('--programs <times>', 'so many times as many random programs; 1 by default', wholeNumber(1))
    .option('--json', 'every case, as JSON')
    .option('--html', 'the matrix as one page')
    .option('--out <file>', 'write that there, and print the matrix as text')
    .addOption(forceOption())
    .option('--verbose', 'list every unsupported case')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow conformance --backend ort:cpu
  $ meanflow conformance --all --html --out conformance.html
  $ meanflow conformance --backend chromium/ort:webgpu
  $ meanflow conformance --backend reference --op dotGeneral,conv
  $ meanflow conformance --backend tfjs:webgpu --op programs/movements,programs/mixed --seed 7 --programs 10`,
    )
    .action(async (options: ConformanceCliOptions) => {
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
      if (exitCode !== 0) exit(exitCode);
    });
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
  const known = [...new Set(conformanceCases().map(({ op }) => op))];
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
  required?.forEach(findSource);
  return all ? sources : (chosen ?? [DEFAULT_BACKEND]).map(findSource);
}

/** Counts cases where there is a terminal; elsewhere a line tells of each backend that is done. */
function showProgress(io: Io, backend: string, done: number, count: number): void {
  if (io.isInteractive) io.err(done < count ? `\r${backend}: ${done} of ${count} cases` : '\r\u001b[K');
  else if (done === count) io.err(`${backend}: ${count} cases done\n`);
}
