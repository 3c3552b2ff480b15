/** `meanflow doctor`: what can run on this machine, and why what cannot, cannot. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { DEFAULT_BACKEND } from '@meanflow/runs/names';
import { names } from './options.js';

export interface DoctorOptions {
  readonly backend?: readonly string[];
}

export function describeDoctor(command: Command, { io, exit }: Context): void {
  command
    .description(
      'Check this machine: Node, the bundled data, the libraries that backends are made of, WebGPU adapters, and every backend, each ' +
        'by computing a derivative with it. What is missing is named with what to install. Ends with status 1 when something that the ' +
        `other commands need does not work (${DEFAULT_BACKEND} is their backend unless another is named), or a backend computes wrong ` +
        'numbers. Adapters that compute in software count only with MEANFLOW_ALLOW_SOFTWARE=1 in the environment.',
    )
    .option(
      '--backend <names>',
      'these backends alone, or a module that opens one of your own, ./mine.mjs',
      names,
    )
    .action(async ({ backend }: DoctorOptions) => {
      const { doctor } = await import('../actions/doctor.js');
      exit(await doctor(backend, io));
    });
}
