/** A network of one's own: two hidden layers, told times and a vector beside the point. */
import { concat, reshape, silu } from '@meanflow/core';
import {
  countParameters,
  initialParameters,
  linear,
  linearParameters,
  type Described,
  type LinearParameters,
} from '@meanflow/models';
import type { VelocityNetwork } from '@meanflow/samplers';

export type OwnParameters = {
  readonly layers: readonly LinearParameters[];
  readonly out: LinearParameters;
};

const width = 16;
const specs: Described<OwnParameters> = {
  layers: [linearParameters(2 + 2 + 1, width, 'xavier'), linearParameters(width, width, 'xavier')],
  out: linearParameters(width, 2, 'xavier'),
};

export const parameterCount = countParameters(specs);

export const network: VelocityNetwork<OwnParameters> = {
  featureShape: [2],
  classCount: undefined,
  conditions: { turn: { kind: 'vector', shape: [1] } },
  takesGuidance: false,
  hasVelocityHead: false,
  init: (key) => initialParameters(specs, key),
  apply: ({ layers, out }, { z, t, h, conditions }) => {
    const rows = z.shape[0] ?? 0;
    const turn = conditions?.['turn'];
    if (turn === undefined) throw new Error('The network is told a turn.');
    const inputs = concat([z, reshape(t, [rows, 1]), reshape(h, [rows, 1]), turn], 1);
    return {
      u: linear(
        out,
        layers.reduce((x, layer) => silu(linear(layer, x)), inputs),
      ),
    };
  },
};
