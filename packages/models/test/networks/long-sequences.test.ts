/** Networks of many tokens: a MeanFlow step is linear in them in memory, for no array has a number for each pair of tokens. */
import { jvp, RandomKey, square, stopGradient, sum, hostArray, hostZeros, type Graph } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { createNetwork, type NetworkConfig } from '../../src/index.js';
import { differentiate, traceTree } from '../helpers.js';

const common = { patchSize: 1, width: 8, heads: 1, mlpRatio: 1 } as const;
const configs: Record<string, (side: number) => NetworkConfig> = {
  dit: (side) => ({ kind: 'dit', featureShape: [side, side, 1], depth: 2, ...common }),
  'imf-dit': (side) => ({ kind: 'imf-dit', featureShape: [side, side, 1], depth: 3, headDepth: 1, guidance: false, ...common }),
}; // prettier-ignore

function stepOf(config: NetworkConfig): Graph {
  const network = createNetwork(config);
  const inputs = {
    params: network.init(RandomKey.fromSeed(0)),
    z: hostZeros([1, ...network.featureShape]),
    t: hostArray([0.5]),
  };
  const { graph } = traceTree(
    ({ params, z, t }) =>
      differentiate((at: typeof params) => {
        const u = (y: typeof z) => network.apply(at, { z: y, t, h: t }).u;
        const [value, tangent] = jvp(u, [z], [z]);
        return [sum(square(value.sub(stopGradient(tangent)))), undefined] as const;
      }, params).gradient,
    inputs,
  );
  return prepare(graph);
}

describe.each(Object.entries(configs))('%s', (_, configOf) => {
  it('is linear in tokens', () => {
    const [small, large] = [32, 64].map((side) => stepOf(configOf(side)));
    const largest = Math.max(...large.types.map(({ shape }) => shape.reduce((a, b) => a * b, 1)));
    expect(largest).toBeLessThan(257 * 4200);
    expect(large.stats().peakBytes / small.stats().peakBytes).toBeLessThan(4.1);
  });
});
