/** An objective of one's own: the velocity, and with a weight that grows with the step, what an average of the network says of it. */
import {
  add,
  hostArray,
  mean,
  mul,
  reshape,
  stopGradient,
  sub,
  type HostArray,
  type Objective,
} from '@meanflow/core';
import type { TrainingBatch } from '@meanflow/models';
import type { ParameterTree, VelocityNetwork } from '@meanflow/samplers';

type Draws = {
  readonly noise: HostArray<'float32'>;
  readonly t: HostArray<'float32'>;
  readonly weight: HostArray<'float32'>;
};
type Refs = { readonly teacher: { readonly average: number } };

export function ownObjective<Params extends ParameterTree>(): Objective<
  VelocityNetwork<Params>,
  Params,
  TrainingBatch,
  Draws,
  Refs
> {
  return {
    name: 'own',
    references: { teacher: { average: 0.9 } },
    draw: ({ key, batch, step }) => ({
      noise: key.fold('noise').normal(batch.x.shape),
      t: key.fold('t').uniform([batch.x.shape[0] ?? 0], 0, 1),
      weight: hostArray(Math.min(1, step / 4)),
    }),
    loss: ({ network, params, batch, draws, references: { teacher } }) => {
      const { noise, weight } = draws;
      const rows = batch.x.shape[0] ?? 0;
      const t = reshape(draws.t, [rows, 1]);
      const z = add(mul(sub(1, t), batch.x), mul(t, noise));
      const conditions = batch.conditions ?? {};
      const inputs = { z, t: draws.t, h: mul(draws.t, 0), conditions };
      const { u } = network.apply(params, inputs);
      const taught = stopGradient(teacher.network.apply(teacher.params, inputs).u);
      const squaredError = mean(square(sub(u, sub(noise, batch.x))));
      const distance = mean(square(sub(u, taught)));
      return { loss: add(squaredError, mul(weight, distance)), metrics: { squaredError, distance } };
    },
  };
}

const square = (x: Parameters<typeof mul>[0]) => mul(x, x);
