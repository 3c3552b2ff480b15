/**
 * What a train step of a transformer costs, counted in contractions: the primal once, the derivative forward once, and nothing
 * of it backward. A linear layer costs one in each direction; a product of attention is bilinear and costs two forward.
 */
import { spec, trace, treeFlatten, valueAndGrad, type Tensor } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { createNetwork, createObjective, type NetworkConfig, type ObjectiveConfig, type ParameterSpec } from '../../src/index.js'; // prettier-ignore

const ROWS = 4;
const DEPTH = 3;
const shared = {
  featureShape: [4, 4, 3],
  patchSize: 2,
  width: 8,
  heads: 2,
  depth: DEPTH,
  classCount: 5,
} as const;

function contractions(config: NetworkConfig, settings: ObjectiveConfig): number {
  const network = createNetwork(config);
  const objective = createObjective(settings);
  const { leaves, structure } = treeFlatten<ParameterSpec>(network.specs);
  const times = Object.fromEntries(['t', 'r', 'omega', 'tMin', 'tMax'].map((name) => [name, spec([ROWS])]));
  const given = {
    ...Object.fromEntries(leaves.map(({ shape }, i) => [structure.paths[i], spec(shape)])),
    ...Object.fromEntries(['x', 'noise'].map((name) => [name, spec([ROWS, 4, 4, 3])])),
    ...times,
    label: spec([ROWS], 'int32'),
  };
  const { graph } = trace((inputs: Readonly<Record<string, Tensor>>) => {
    const params: unknown = structure.unflatten(structure.paths.map((path) => inputs[path]));
    const { x, label, ...draws } = inputs;
    const [value, gradient] = valueAndGrad(
      (p: never) =>
        objective.loss({ network, params: p, batch: { x, label }, draws: draws as never, references: {} })
          .loss,
    )(params as never);
    return { value, gradient };
  }, given);
  return prepare(graph).stats().ops.dotGeneral;
}

describe('DiT', () => {
  /** The patches, two embedders of two layers, five layers in a block, two at the end. */
  const linear = 1 + 4 + 5 * DEPTH + 2;
  const attention = 2 * DEPTH;
  /** Patches and features of times are not differentiated. */
  const backward = 2 * (linear + attention) - 3;
  const dit: NetworkConfig = { kind: 'dit', ...shared };

  test('flow matching: forward and backward', () => {
    expect(contractions(dit, { kind: 'flow-matching' })).toBe(linear + attention + backward);
  });

  test('MeanFlow: a tangent more', () => {
    const tangent = linear + 2 * attention;
    expect(contractions(dit, { kind: 'meanflow' })).toBe(linear + attention + tangent + backward);
  });

  test('MeanFlow with guidance: one evaluation more, of both velocities', () => {
    const guidance = { omega: 1, kappa: 0.5 };
    const tangent = linear + 2 * attention;
    expect(contractions(dit, { kind: 'meanflow', guidance })).toBe(
      2 * (linear + attention) + tangent + backward,
    );
  });
});

test('iMF-DiT: guidance needs the velocity head alone, the tangent the average one', () => {
  const headDepth = 1;
  const config: NetworkConfig = { kind: 'imf-dit', ...shared, headDepth, velocityHead: { depth: headDepth } };
  const parts = (blocks: number, embedders: number, heads: number) => ({
    linear: 1 + 2 * embedders + 7 * blocks + heads,
    attention: 2 * blocks,
  });
  const all = parts(DEPTH + headDepth, 4, 2);
  const guidance = parts(DEPTH, 4, 1);
  // Of the conditions, only h moves.
  const tangent = parts(DEPTH, 1, 1);
  // Patches and features of the four numbers are not differentiated.
  const backward = 2 * (all.linear + all.attention) - 5;
  expect(contractions(config, { kind: 'improved-meanflow', guidance: {} })).toBe(
    guidance.linear +
      guidance.attention +
      all.linear +
      all.attention +
      tangent.linear +
      2 * tangent.attention +
      backward,
  );
});
