/**
 * `meanflow doctor`: what can run on this machine, and why what cannot, cannot. A backend counts as running when it has just computed
 * a derivative correctly, not when its package is installed.
 */
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import {
  compile,
  hostArray,
  jvp,
  MeanflowError,
  trace,
  spec,
  sum,
  tanh,
  mul,
  type Backend,
  type Tensor,
} from '@meanflow/core';
import { readAsset } from '@meanflow/data/node';
import type { Command } from 'commander';
import { backends, DEFAULT_BACKEND, futureBackends, type BackendEntry } from '../backends.js';
import type { Io } from '../terminal/io.js';
import type { SetExitCode } from './command.js';

/** One line of the diagnosis. */
interface Finding {
  readonly subject: string;
  readonly status: 'ok' | 'failed' | 'absent';
  readonly text: string;
}

export function addDoctor(program: Command, io: Io, exit: SetExitCode): void {
  program
    .command('doctor')
    .summary('say what can run here, and why the rest cannot')
    .description(
      'Check this machine: Node, the bundled data, and every backend, each by computing a derivative with it. Ends with status 1 when ' +
        `something that the other commands need does not work (${DEFAULT_BACKEND} is their backend unless another is named).`,
    )
    .action(async () => {
      const findings = await examine();
      const marks = { ok: '✓', failed: '✗', absent: '·' };
      const width = Math.max(...findings.map(({ subject }) => subject.length));
      for (const { subject, status, text } of findings)
        io.out(`${marks[status]} ${subject.padEnd(width)}  ${text}\n`);
      if (findings.some(({ status }) => status === 'failed')) exit(1);
    });
}

async function examine(): Promise<Finding[]> {
  const found = [node(), machine(), await bundledData(), await runtime()];
  for (const entry of backends) found.push(await backend(entry));
  found.push(...futureBackends.map(future));
  return found;
}

function node(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNewEnough = major > 20 || (major === 20 && minor >= 19);
  const text = `${process.version} on ${process.platform}-${process.arch}`;
  return isNewEnough
    ? { subject: 'node', status: 'ok', text }
    : { subject: 'node', status: 'failed', text: `${text}: 20.19 or later is needed` };
}

function machine(): Finding {
  const model = cpus()[0]?.model.trim() || 'unknown processor';
  const cores = availableParallelism();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return { subject: 'machine', status: 'ok', text: `${model}, ${cores} cores, ${memory} GiB of memory` };
}

async function bundledData(): Promise<Finding> {
  return attempt('data', async () => {
    const bytes = await readAsset('digits.csv.gz');
    return `digits and wine are here (${Math.round(bytes.length / 1024)} kB of digits)`;
  });
}

async function runtime(): Promise<Finding> {
  return attempt('onnxruntime-node', async () => {
    const ort = await import('onnxruntime-node');
    const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
      version: string;
    };
    const providers = ort.listSupportedBackends();
    const named = (isBundled: boolean) =>
      providers.filter(({ bundled }) => bundled === isBundled).map(({ name }) => name);
    return `${version}, with the providers ${named(true).join(', ')}; able to load ${named(false).join(', ')} where installed`;
  });
}

async function backend(entry: BackendEntry): Promise<Finding> {
  const finding = await attempt(entry.name, async () => {
    const opened = await entry.open();
    try {
      await checkDerivative(opened);
      const { description, versions } = opened.describe();
      const libraries = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
      const on = [description, ...libraries].join(', ');
      return `${entry.description}; computed a derivative correctly on: ${on}`;
    } finally {
      await opened.dispose();
    }
  });
  // What a machine need not have is absent, with the reason; only what every machine must have has failed.
  return finding.status === 'failed' && entry.isOptional ? { ...finding, status: 'absent' } : finding;
}

/** The derivative of Σ tanh(x²) at x along x is Σ 2x²(1 − tanh²(x²)). */
async function checkDerivative(on: Backend): Promise<void> {
  const total = (x: Tensor): Tensor => sum(tanh(mul(x, x)));
  const traced = trace((x: Tensor) => jvp(total, [x], [x])[1], spec([2]), { name: 'doctor' });
  const compiled = await compile(on, traced);
  try {
    const points = [0.5, -1];
    const expected = points.reduce((value, x) => value + 2 * x * x * (1 - Math.tanh(x * x) ** 2), 0);
    const output = await compiled.run(hostArray(points));
    const value = (await output.read()).item();
    if (!(Math.abs(value - expected) < 1e-5)) {
      throw new MeanflowError(
        `it computes wrong numbers here: a derivative came out as ${value}, expected ${expected}`,
      );
    }
  } finally {
    await compiled.dispose();
  }
}

function future({ name, package: provider }: (typeof futureBackends)[number]): Finding {
  return { subject: name, status: 'absent', text: `not in this version; planned for ${provider}` };
}

async function attempt(subject: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { subject, status: 'ok', text: await work() };
  } catch (error) {
    return { subject, status: 'failed', text: (error as Error).message };
  }
}
