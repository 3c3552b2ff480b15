import { reshape, spec, trace, type Tensor } from '@meanflow/core';
import type { VelocityOutputs } from '@meanflow/samplers';
import { composeNetwork } from '../../src/index.js';

const config = { kind: 'mine', featureShape: [3] };
const inputs = { z: spec([4, 3]), t: spec([4]), h: spec([4]) };

function traced(apply: (z: Tensor) => unknown) {
  const network = composeNetwork(config, { specs: {}, apply: (_, { z }) => apply(z) as VelocityOutputs });
  return () => trace(({ z, t, h }) => network.apply({}, { z, t, h }), inputs);
}

test('outputs that are velocities of the shape of z are taken', () => {
  expect(traced((z) => ({ u: z, v: z }))).not.toThrow();
});

test.each<[string, (z: Tensor) => unknown, string]>([
  ['a tensor', (z) => z, 'apply gives { u }, with u as z: float32[4, 3]; got '],
  ['nothing', () => undefined, 'apply gives { u }, with u as z: float32[4, 3]; got '],
  ['no u', () => ({}), 'apply gives u, as z: float32[4, 3]; got '],
  ['another shape', (z) => ({ u: reshape(z, [-1]) }), 'apply gives u as z, float32[4, 3], got float32[12].'],
  [
    'a v of another shape',
    (z) => ({ u: z, v: reshape(z, [3, 4]) }),
    'apply gives v as z, float32[4, 3], got float32[3, 4].',
  ],
])('%s is refused by the name of the network', (_, apply, message) => {
  expect(traced(apply)).toThrow(`The network "mine": ${message}`);
});
