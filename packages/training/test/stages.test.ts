/** Objectives that change at given steps: which loss, draws and references a step is made with, and what is compiled when. */
import { hostArray, mean, type Backend, type HostArray, type Objective } from '@meanflow/core';
import { checkpointChunks, sgd, train, Trainer } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { dataFrom, numberNetwork, type Numbers } from './support/number-problem.js';

type Network = typeof numberNetwork;
type W = ReturnType<Network['init']>;
type Staged = Objective<
  Network,
  W,
  Numbers,
  { pull: HostArray },
  { slow?: { average: number; rampUp: boolean } }
>;

/**
 * From step 0 on the squared distance to the data, with a pull that follows from the step; from 3 on half of it; from 7 on
 * the distance to an average as well, with another pull.
 */
class ThreeStages implements Staged {
  readonly name = 'three stages';
  readonly #half = 0.5;
  draw: Staged['draw'] = ({ step }) => ({ pull: hostArray(1 + step) });
  loss: Staged['loss'] = ({ params: { w }, batch: { x }, draws: { pull } }) => {
    const error = w.sub(x);
    return { loss: mean(error.mul(error)).mul(pull), metrics: {} };
  };
  stages: NonNullable<Staged['stages']> = [
    {
      from: 3,
      loss: (given) => ({ loss: this.loss(given).loss.mul(this.#half), metrics: {} }),
    },
    {
      from: 7,
      references: { slow: { average: 0.5, rampUp: false } },
      draw: () => ({ pull: hostArray(2) }),
      loss: (given) => {
        const away = given.params.w.sub(given.references.slow!.params.w);
        return { loss: this.loss(given).loss.add(away.mul(away)), metrics: {} };
      },
    },
  ];
}

const RATE = 0.03125;
const at = (step: number): number => 1 + (step % 2);

/** The parameter after so many steps in closed form. */
function expected(steps: number): number {
  let [w, average] = [4, 4];
  for (let step = 0; step < steps; step++) {
    const pull = step < 3 ? 1 + step : step < 7 ? (1 + step) / 2 : 2;
    const slope = 2 * (w - at(step)) * pull + (step < 7 ? 0 : 2 * (w - average));
    w -= RATE * slope;
    average += 0.5 * (w - average);
  }
  return w;
}

/** What was compiled and run, in order: `compile` and the steps' graph, or the steps of a run. */
function watched(): { backend: Backend; events: string[] } {
  const inner = float32Backend();
  const events: string[] = [];
  const backend: Backend = {
    ...inner,
    async compile(graph, options) {
      events.push(`compile ${graph.name}`);
      const executable = await inner.compile(graph, options);
      return {
        ...executable,
        run(inputs, runOptions) {
          events.push(graph.name);
          return executable.run(inputs, runOptions);
        },
        async dispose() {
          events.push(`dispose ${graph.name}`);
          await executable.dispose();
        },
      };
    },
  };
  return { backend, events };
}

const make = (options: { backend?: Backend; guarded?: boolean; objective?: Staged } = {}) =>
  Trainer.create({
    backend: float32Backend(),
    network: numberNetwork,
    objective: new ThreeStages(),
    data: dataFrom((step) => [at(step), at(step)]),
    optimizer: sgd({ learningRate: RATE }),
    batchSize: 2,
    seed: 0,
    ...options,
  });

const bytesOf = async (trainer: Trainer<W>): Promise<Buffer> =>
  Buffer.concat(checkpointChunks(await trainer.snapshot(), { seed: 0, batchSize: 2, info: {} }));

describe('stages', () => {
  it.each([{}, { guarded: true }])(
    'each step is made with the loss, the draws and the references of its stage: %o',
    async (options) => {
      for (const steps of [2, 3, 4, 7, 8, 13]) {
        await using trainer = await make(options);
        await train(trainer, { steps });
        expect((await trainer.parameters()).w.item()).toBeCloseTo(expected(steps), 5);
      }
    },
  );

  it('a stage is compiled when it is reached, once its predecessor is let go', async () => {
    const { backend, events } = watched();
    await using trainer = await make({ backend });
    await train(trainer, { steps: 10 });
    const [first, second, third] = [
      'train three stages',
      'train three stages from step 3',
      'train three stages from step 7',
    ];
    expect(events).toEqual([
      ...[`compile ${first}`, first, first, first],
      ...[`dispose ${first}`, `compile ${second}`, second, second, second, second],
      ...[`dispose ${second}`, `compile ${third}`, third, third, third],
    ]);
    expect(trainer.graph.name).toBe(third);
  });

  it('resumed in any stage, a run ends in the same bits', async () => {
    await using straight = await make();
    await train(straight, { steps: 12 });
    for (const step of [2, 3, 5, 7, 9]) {
      await using before = await make();
      await train(before, { steps: step });
      const { backend, events } = watched();
      await using after = await make({ backend });
      after.restore(await before.snapshot());
      await train(after, { steps: 12 });
      expect(await bytesOf(after)).toEqual(await bytesOf(straight));
      const runs = events.filter((event) => !event.startsWith('compile') && !event.startsWith('dispose'));
      expect(runs.some((name) => name.endsWith('stages'))).toBe(step < 3);
    }
  });

  it('what does not fit in a later stage shows before the first step', async () => {
    const objective = new ThreeStages();
    objective.stages = [
      { from: 500, loss: ({ params: { w } }) => ({ loss: w.mul(hostArray([1, 2]) as never), metrics: {} }) },
    ];
    await expect(make({ objective })).rejects.toThrow('mul(');
  });

  it.each([[[0]], [[5, 5]], [[9, 3]], [[1.5]], [[-1]]])('borders %j are refused', async (borders) => {
    const objective = new ThreeStages();
    objective.stages = borders.map((from) => ({ from }));
    await expect(make({ objective })).rejects.toThrow(
      `The stages of "three stages" begin at steps that are whole numbers above 0 and rise, got ${borders.join(', ')}.`,
    );
  });
});
