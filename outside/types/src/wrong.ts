/** What must not type-check. */
import { grad, jvp, referenceBackend, spec, trace, type Tensor } from '@meanflow/core';
import { metric } from '@meanflow/metrics';
import { flowMatching, type Parameter } from '@meanflow/models';
import type { VelocityNetwork } from '@meanflow/samplers';
import { adam, Trainer } from '@meanflow/training';
import { arc } from './data.js';
import { network, type OwnParameters } from './network.js';
import { ownObjective } from './objective.js';

export const traced = trace(({ x }) => x.mul(2), { x: spec([3]) });
// @ts-expect-error a tensor has no such method
trace(({ x }) => x.power(2), { x: spec([3]) });
// @ts-expect-error the traced function is given the tree that it is traced with
trace(({ y }) => y.mul(2), { x: spec([3]) });

export const square = (x: Tensor) => x.mul(x);
// @ts-expect-error one tangent for each argument
export const tangent = (x: Tensor) => jvp(square, [x], []);
// @ts-expect-error a gradient is of a function of tensors
export const gradient = grad(3);

// @ts-expect-error the parameters that a network makes are the ones that it takes
export const other: VelocityNetwork<{ readonly out: OwnParameters['out'] }> = network;
// @ts-expect-error a network says whether it takes guidance
export const partial: VelocityNetwork<OwnParameters> = { ...network, takesGuidance: undefined };

// @ts-expect-error a schedule or a number
adam({ learningRate: 'fast' });
// @ts-expect-error there is no such field
flowMatching({ kind: 'flow-matching', weights: 1 });

const options = {
  backend: referenceBackend(),
  network,
  optimizer: adam({ learningRate: 1 }),
  data: arc,
  batchSize: 1,
  seed: 0,
};
export const right = () => Trainer.create({ ...options, objective: ownObjective<OwnParameters>() });
const ofOthers = ownObjective<{ readonly a: Parameter }>();
// @ts-expect-error an objective for other parameters
export const wrong = () => Trainer.create({ ...options, objective: ofOthers });

const named = { name: 'a', title: 'a', unit: '', description: '', reads: [], value: () => 0 };
metric({ ...named, better: 'lower' });
// @ts-expect-error values are good in one of three ways
metric({ ...named, better: 'bigger' });
