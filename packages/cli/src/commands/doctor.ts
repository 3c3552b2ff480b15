/** `meanflow doctor`: what can run on this machine, and why what cannot, cannot. */
import type { Command } from 'commander';
import { backends, DEFAULT_BACKEND } from '@meanflow/runs/node';
import { examineAdapters } from '../diagnosis/adapters.js';
import { examineBackend } from '../diagnosis/backend.js';
import { examineBrowser } from '../diagnosis/browser.js';
import type { Finding } from '../diagnosis/finding.js';
import { examineLibraries } from '../diagnosis/libraries.js';
import { examineMachine } from '../diagnosis/machine.js';
import type { Io } from '../terminal/io.js';
import type { SetExitCode } from './command.js';

const marks = { ok: '✓', failed: '✗', absent: '·' };

export function addDoctor(program: Command, io: Io, exit: SetExitCode): void {
  program
    .command('doctor')
    .summary('say what can run here, and why the rest cannot')
    .description(
      'Check this machine: Node, the bundled data, the libraries that backends are made of, WebGPU adapters, and every backend, each ' +
        'by computing a derivative with it. What is missing is named with what to install. Ends with status 1 when something that the ' +
        `other commands need does not work (${DEFAULT_BACKEND} is their backend unless another is named), or a backend computes wrong ` +
        'numbers. Adapters that compute in software count only with MEANFLOW_ALLOW_SOFTWARE=1 in the environment.',
    )
    .action(async () => {
      const findings = await examine();
      const width = Math.max(...findings.map(({ subject }) => subject.length));
      for (const { subject, status, text } of findings) {
        const indented = text.trimEnd().replaceAll('\n', `\n${' '.repeat(width + 4)}`);
        io.out(`${marks[status]} ${subject.padEnd(width)}  ${indented}\n`);
      }
      if (findings.some(({ status }) => status === 'failed')) exit(1);
    });
}

async function examine(): Promise<Finding[]> {
  const found = [...(await examineMachine()), ...(await examineLibraries()), ...(await examineAdapters())];
  // One after the other: an adapter is not asked for twice at a time.
  for (const entry of backends) found.push(await examineBackend(entry));
  found.push(await examineBrowser());
  return found;
}
