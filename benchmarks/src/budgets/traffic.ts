/** What a train step copies and allocates on ONNX Runtime, seen in steps that are made. */
import { ortBackend, type OrtExecutable } from '@meanflow/backend-ort';
import { BackendError } from '@meanflow/core';
import { cases, type TrainCase } from '../cases.js';
import { advance, createTrainer } from '../train-step.js';
import { makeWorkload } from '../workload.js';

const STEPS = 4;

/** Of one step, on average after the first ones, on the native binding: the public one does not tell what it copies. */
export async function stepTraffic(): Promise<Readonly<Record<string, number>>> {
  const benchmark = cases.find((each): each is TrainCase => each.name === 'w1' && each.task === 'train')!;
  const opened = await ortBackend({ ort: () => import('onnxruntime-node'), binding: 'native', threads: 1 });
  const executables: OrtExecutable[] = [];
  const backend: typeof opened = Object.assign(Object.create(opened) as typeof opened, {
    compile: async (...given: Parameters<typeof opened.compile>) => {
      const executable = await opened.compile(...given);
      executables.push(executable);
      return executable;
    },
  });
  const trainer = await createTrainer(backend, benchmark, makeWorkload(benchmark), 'all');
  const total = (counter: keyof OrtExecutable['counters']): number =>
    executables.reduce((sum, { counters }) => sum + counters[counter], 0);
  const counts = () => ({
    runs: total('runs'),
    'bytes to the runtime': total('hostToDeviceBytes'),
    'bytes from the runtime': total('deviceToHostBytes'),
    'blocks allocated': allocatedBy(opened.memory()),
  });
  for (let i = 0; i < STEPS; i++) await advance(trainer);
  const before = counts();
  for (let i = 0; i < STEPS; i++) await advance(trainer);
  const after = counts();
  await trainer.dispose();
  await opened.dispose();
  const names = Object.keys(after) as (keyof typeof after)[];
  return Object.fromEntries(names.map((name) => [name, (after[name] - before[name]) / STEPS]));
}

/** Blocks that the native binding has allocated. @throws {BackendError} on the other, which does not tell */
function allocatedBy(memory: object): number {
  if ('allocated' in memory && typeof memory.allocated === 'number') return memory.allocated;
  throw new BackendError('This binding of ONNX Runtime does not tell what it allocates.');
}
