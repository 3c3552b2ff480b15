/** Training that is begun again from what was read ends in the same bits. */
import { treePaths, type Backend, type HostArray } from '@meanflow/core';
import type { BehaviourCase, Finding } from '@meanflow/conformance';
import { behaviour, disposeAll, expectValues, holdsMoreThanFloat32 } from '@meanflow/conformance/cases';
import { createObjective } from '@meanflow/models';
import { adam, Trainer, type TrainState } from '@meanflow/training';
import { smallData, smallNetwork } from './small-model.js';

/** The one. */
export function resumptionCases(): BehaviourCase[] {
  return [
    behaviour('state', 'state', 'begun again from what was read, it ends in the same bits', resumption),
  ];
}

/** Ten train steps, against four, a state that goes through the host, and six. */
async function resumption(backend: Backend): Promise<Finding> {
  if (await holdsMoreThanFloat32(backend)) {
    return { unsupported: 'its state is more exact than the float32 that it is read as' };
  }
  const make = () =>
    Trainer.create({
      network: smallNetwork(),
      objective: createObjective({ kind: 'meanflow' }),
      optimizer: adam({ learningRate: 1e-2 }),
      data: smallData,
      backend,
      batchSize: 16,
      seed: 3,
    });
  const advance = async (trainer: Awaited<ReturnType<typeof make>>, steps: number) => {
    for (let i = 0; i < steps; i++) disposeAll({ loss: (await trainer.advance()).loss });
    return trainer.snapshot();
  };
  const [straight, before, after] = [await make(), await make(), await make()];
  try {
    const wanted = await advance(straight, 10);
    after.restore(await advance(before, 4));
    const got = treePaths<HostArray>(stateOf(await advance(after, 6)));
    treePaths<HostArray>(stateOf(wanted)).forEach(({ path, leaf }, i) =>
      expectValues(path, got[i]!.leaf, [...leaf.data]),
    );
    return {};
  } finally {
    for (const trainer of [straight, before, after]) await trainer.dispose();
  }
}

const stateOf = ({ params, optimizer }: TrainState) => ({ params, optimizer });
