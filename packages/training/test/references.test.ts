/** Averages of the student and frozen networks as inputs of a loss, on a problem of which every step is known. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  hostArray,
  mean,
  referenceBackend,
  type Backend,
  type HostArray,
  type Objective,
} from '@meanflow/core';
import {
  checkpointChunks,
  checkpointState,
  decodeCheckpoint,
  ema,
  sgd,
  train,
  Trainer,
  type Ema,
} from '../src/index.js';
import { RunDirectory, trainInDirectory } from '../src/node.js';
import { float32Backend } from './support/float32-backend.js';
import { dataFrom, numberNetwork, type Numbers } from './support/number-problem.js';
import { withFolder } from './support/child.js';

type W = { w: HostArray };
type Network = typeof numberNetwork;

/** A network with a factor of its own, to be told from the trained one. */
const teacherNetwork = { factor: 10, init: () => ({ v: hostArray(0) }) };
type Teacher = typeof teacherNetwork;
interface Refs extends Readonly<Record<string, unknown>> {
  readonly slow: { readonly average: number; readonly rampUp?: boolean };
  readonly teacher: { readonly frozen: Teacher; readonly params: { readonly v: HostArray } };
}
type Both = Pick<Refs, 'slow' | 'teacher'>;

/** (w − x)², w drawn towards its average and to ten times the teacher's number: every term shows in gradient and metrics. */
function drawnTo(slow: Refs['slow'], v = 0.2): Objective<Network, W, Numbers, object, Both> {
  return {
    name: 'drawn',
    references: { slow, teacher: { frozen: teacherNetwork, params: { v: hostArray(v) } } },
    draw: () => ({}),
    loss: ({ params: { w }, batch: { x }, references: { slow, teacher } }) => {
      const target = teacher.params.v.mul(teacher.network.factor);
      const [data, old, taught] = [w.sub(x), w.sub(slow.params.w), w.sub(target)];
      const loss = mean(data.mul(data)).add(old.mul(old)).add(taught.mul(taught));
      return { loss, metrics: { average: slow.params.w, taught: target } };
    },
  };
}

interface Options {
  readonly backend?: Backend;
  readonly ema?: Ema;
  readonly guarded?: boolean;
  readonly v?: number;
  readonly slow?: Refs['slow'];
}

const RATE = 0.05;
const xOf = (step: number): number => 1 + (step % 3);
const make = ({ slow = { average: 0.5, rampUp: false }, v, ...options }: Options = {}) =>
  Trainer.create({
    backend: float32Backend(),
    network: numberNetwork,
    objective: drawnTo(slow, v),
    data: dataFrom((step) => [xOf(step), xOf(step)]),
    optimizer: sgd({ learningRate: RATE }),
    batchSize: 2,
    seed: 0,
    ...options,
  });

/** The parameter, its average and the losses after so many steps, in closed form. */
function expected(steps: number, decayAt: (update: number) => number, target = 2) {
  let [w, average] = [4, 4];
  const seen: { loss: number; average: number }[] = [];
  for (let step = 0; step < steps; step++) {
    const x = xOf(step);
    seen.push({ loss: (w - x) ** 2 + (w - average) ** 2 + (w - target) ** 2, average });
    w -= RATE * 2 * (w - x + (w - average) + (w - target));
    average += (1 - decayAt(step + 1)) * (w - average);
  }
  return { w, average, seen };
}

async function curve(trainer: Trainer<W>, steps: number) {
  const seen: { loss: number; average: number }[] = [];
  await train(trainer, {
    steps,
    logEvery: 1,
    onMetrics: ({ loss, average = NaN }) => void seen.push({ loss, average }),
  });
  return seen;
}

const bytesOf = async (trainer: Trainer<W>): Promise<Buffer> =>
  Buffer.concat(checkpointChunks(await trainer.snapshot(), { seed: 0, batchSize: 2, info: {} }));

describe('references', () => {
  it.each<[string, Options]>([
    ['as steps are', {}],
    ['guarded', { guarded: true }],
  ])('reach the loss, the average as it was before the step: %s', async (_, options) => {
    await using trainer = await make({ backend: referenceBackend(), ...options });
    const seen = await curve(trainer, 10);
    const { w, average, seen: wanted } = expected(10, () => 0.5);
    seen.forEach(({ loss, average }, i) => {
      expect(loss).toBeCloseTo(wanted[i]!.loss, 5);
      expect(average).toBeCloseTo(wanted[i]!.average, 5);
    });
    const { params, references } = await trainer.snapshot();
    expect(params.w.item()).toBeCloseTo(w, 5);
    expect(references!['0.5-constant']!.w.item()).toBeCloseTo(average, 5);
  });

  it('an average begins with smaller decays unless it is told not to', async () => {
    await using trainer = await make({ backend: referenceBackend(), slow: { average: 0.5 } });
    await train(trainer, { steps: 6 });
    const { average } = expected(6, (n) => Math.min(0.5, (1 + n) / (10 + n)));
    expect((await trainer.snapshot()).references!['0.5']!.w.item()).toBeCloseTo(average, 5);
  });

  it('an average that the run keeps anyhow is not kept twice', async () => {
    const kept = ema({ decays: [0.5], rampUp: false });
    await using shared = await make({ ema: kept });
    await using own = await make();
    expect(await curve(shared, 7)).toEqual(await curve(own, 7));
    const state = await shared.snapshot();
    expect(state.references).toBeUndefined();
    expect(state.ema['0.5']).toEqual((await own.snapshot()).references!['0.5-constant']);
    // Other ramps, other steps and other decays are other averages.
    for (const other of [
      ema({ decays: [0.5] }),
      ema({ decays: [0.5], rampUp: false, every: 2 }),
      ema({ decays: [0.9], rampUp: false }),
    ]) {
      await using trainer = await make({ ema: other });
      expect(Object.keys((await trainer.snapshot()).references!)).toEqual(['0.5-constant']);
    }
  });

  it('go on from a checkpoint bit for bit', async () => {
    await using straight = await make();
    await train(straight, { steps: 11 });
    await using before = await make();
    await train(before, { steps: 5 });
    await using after = await make();
    const checkpoint = await decodeCheckpoint(new Uint8Array(await bytesOf(before)));
    expect([...checkpoint.tensors.keys()]).toEqual(['params/w', 'references/0.5-constant/w']);
    after.restore(await checkpointState(checkpoint, after.stateTypes));
    await train(after, { steps: 11 });
    expect(await bytesOf(after)).toEqual(await bytesOf(straight));
  });

  it('a frozen network is put on the device once, is no constant and no part of the state', async () => {
    const inner = float32Backend();
    const given: string[][] = [];
    const placed: string[] = [];
    const backend: Backend = {
      ...inner,
      async compile(graph, options) {
        const executable = await inner.compile(graph, options);
        return {
          ...executable,
          run(inputs, runOptions) {
            if (graph.name === 'frozen parameters') placed.push(...Object.keys(inputs));
            else
              given.push(
                Object.keys(inputs).filter(
                  (name) => inputs[name] instanceof Object && 'data' in inputs[name],
                ),
              );
            return executable.run(inputs, runOptions);
          },
        };
      },
    };
    await using trainer = await make({ backend });
    await train(trainer, { steps: 5 });
    expect(placed).toEqual(['v']);
    expect(trainer.graph.inputs.map(({ name }) => name)).toContain('frozen/teacher/v');
    for (const names of given) expect(names.filter((name) => name.startsWith('frozen'))).toEqual([]);
    expect(Object.keys(trainer.stateTypes)).not.toContain('frozen');
  });

  it('a resume with another frozen network is refused, and with the same one goes on', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'run');
      const runOf = async (resume: boolean, steps: number, v?: number) => {
        await using run = resume ? await RunDirectory.resume(path) : await RunDirectory.create(path, {});
        await using trainer = await make({ v });
        await trainInDirectory(trainer, { run, steps, info: {} });
      };
      await runOf(false, 3);
      await expect(runOf(true, 6, 0.3)).rejects.toThrow(
        /was made with other parameters of the frozen network "teacher" \(checksum [0-9a-f]{8}, now [0-9a-f]{8}\).*give the objective the same/,
      );
      await runOf(true, 6);
      await using straight = await make();
      await train(straight, { steps: 6 });
      const { tensors } = await decodeCheckpoint(await readFile(join(path, 'final.safetensors')));
      const { params } = await straight.snapshot();
      expect(tensors.size).toBe(2);
      expect(params.w.item()).toBeCloseTo(expected(6, () => 0.5).w, 5);
    }));

  it('what is no reference is refused', async () => {
    await expect(make({ slow: { average: 1 } })).rejects.toThrow('a decay in [0, 1)');
    await expect(make({ slow: {} as Refs['slow'] })).rejects.toThrow('{ frozen: network, params }, got');
  });
});
