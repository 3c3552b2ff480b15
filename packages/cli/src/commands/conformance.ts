/** `meanflow conformance`: the kit on backends of this machine, as a matrix of ops and backends. */
import { conformanceCommand, conformanceCases } from '@meanflow/conformance';
import { ArgumentError, didYouMean, MeanflowError, type Backend } from '@meanflow/core';
import type { Command } from 'commander';
import { backends, DEFAULT_BACKEND, findBackend } from '../backends.js';
import { writeOutput } from '../files.js';
import type { Io } from '../terminal/io.js';
import type { SetExitCode } from './command.js';
import { names } from './options.js';

interface ConformanceCliOptions {
  readonly backend?: string[];
  readonly all?: boolean;
  readonly op?: string[];
  readonly json?: boolean;
  readonly html?: boolean;
  readonly out?: string;
  readonly verbose?: boolean;
}

export function addConformance(program: Command, io: Io, exit: SetExitCode): void {
  program
    .command('conformance')
    .summary('prove that a backend computes what it should')
    .description(
      'Run the conformance kit: every op over dtypes, ranks, layouts and special numbers, every derivative and composite, train steps, ' +
        'samplers, state, memory and errors. Prints the worst error of each op in units of its tolerance, the time, and what is ' +
        'unsupported and why. Ends with status 1 when anything is wrong.',
    )
    .option(
      '--backend <names>',
      `one or several, such as ort:cpu,reference; ${DEFAULT_BACKEND} by default`,
      names,
    ) // prettier-ignore
    .option('--all', 'every backend that runs here')
    .option('--op <names>', 'only the cases of these ops', names)
    .option('--json', 'every case, as JSON')
    .option('--html', 'the matrix as one page')
    .option('--out <file>', 'write it there instead of printing it')
    .option('--verbose', 'list every unsupported case')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow conformance --backend ort:cpu
  $ meanflow conformance --all --html --out conformance.html
  $ meanflow conformance --backend reference --op dotGeneral,conv`,
    )
    .action(async (options: ConformanceCliOptions) => {
      const format = formatOf(options);
      const { op: ops } = options;
      if (ops !== undefined) checkOps(ops);
      const { output, exitCode } = await conformanceCommand(await openers(options, io), {
        format,
        listUnsupported: options.verbose ?? false,
        ...(ops && { filter: ({ op }) => ops.includes(op) }),
        onResult: (backend, _, done, count) => showProgress(io, backend, done, count),
      });
      if (options.out === undefined) io.out(output.endsWith('\n') ? output : `${output}\n`);
      else await writeOutput(options.out, output);
      if (exitCode !== 0) exit(exitCode);
    });
}

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

/** The backends to run. With --all, those that do not open here are named and left out; a chosen one must open. */
async function openers(
  { backend: chosen, all }: ConformanceCliOptions,
  io: Io,
): Promise<(() => Promise<Backend>)[]> {
  if (all && chosen !== undefined) throw new ArgumentError('Give --backend or --all, not both.');
  if (!all) return (chosen ?? [DEFAULT_BACKEND]).map(findBackend).map((entry) => () => entry.open());
  const found: (() => Promise<Backend>)[] = [];
  for (const { name, open } of backends) {
    try {
      await (await open()).dispose();
      found.push(() => open());
    } catch (error) {
      if (!(error instanceof MeanflowError)) throw error;
      io.err(`${name} does not run here: ${error.message}\n`);
    }
  }
  return found;
}

function showProgress(io: Io, backend: string, done: number, count: number): void {
  if (!io.isInteractive) return;
  io.err(done < count ? `\r${backend}: ${done} of ${count} cases` : '\r\u001b[K');
}
