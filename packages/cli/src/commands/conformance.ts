/** `meanflow conformance`: the kit on backends of this machine and of its browser, as a matrix of ops and backends. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { DEFAULT_BACKEND } from '@meanflow/runs/names';
import { DEFAULT_SEED } from '@meanflow/conformance';
import { forceOption, names, wholeNumber } from './options.js';

export interface ConformanceCliOptions {
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

export function describeConformance(command: Command, { io, exit }: Context): void {
  command
    .description(
      'Run the conformance kit: every op over dtypes, ranks, layouts and special numbers, every derivative and composite, train steps, ' +
        'samplers, state, memory and errors. Prints the worst error of each op in units of its tolerance, the time, and what is ' +
        'unsupported and why. Each backend runs in a process of its own; those called chromium/… run in headless Chromium, which is ' +
        'looked for on the PATH and at CHROMIUM_PATH. Ends with status 1 when anything is wrong.',
    )
    .option(
      '--backend <names>',
      `one or several, such as ort:cpu,chromium/ort:wasm, or a module of your own, ./mine.mjs; ${DEFAULT_BACKEND} by default`,
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
      const { conformance } = await import('../actions/conformance.js');
      exit(await conformance(options, io));
    });
}
