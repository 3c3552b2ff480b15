/**
 * What a train step costs, counted: the primal once, the derivative forward once, and nothing of it backward.
 */
import {
  RandomKey,
  spec,
  trace,
  treeFlatten,
  valueAndGrad,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { createObjective, mlp, type MlpConfig, type ObjectiveConfig } from '../../src/index.js';

const DEPTH = 4;
/** Linear layers. */
const L = DEPTH + 1;
const BATCH = 16;

function dots(config: Partial<MlpConfig>, objectiveConfig: ObjectiveConfig): number {
  const network = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: DEPTH, ...config });
  const objective = createObjective(objectiveConfig);
  const { leaves, structure } = treeFlatten<HostArray>(network.init(RandomKey.fromSeed(0)));
  const inputs = {
    ...Object.fromEntries(leaves.map(({ shape }, i) => [structure.paths[i], spec(shape)])),
    ...Object.fromEntries(['x', 'noise'].map((name) => [name, spec([BATCH, 2])])),
    ...Object.fromEntries(['t', 'r'].map((name) => [name, spec([BATCH])])),
  };
  const { graph } = trace((given: Readonly<Record<string, Tensor>>) => {
    const params: unknown = structure.unflatten(structure.paths.map((path) => given[path]));
    const { x, noise, t, r } = given;
    const loss = (p: never) =>
      objective.loss({ network, params: p, batch: { x }, draws: { noise, t, r }, references: {} }).loss;
    const [value, gradient] = valueAndGrad(loss)(params as never);
    return { value, gradient };
  }, inputs);
  const { ops } = prepare(graph).stats();
  return ops.dotGeneral;
}

const backward = 2 * L - 1;

test('flow matching: L forward, 2L − 1 backward', () => {
  expect(dots({}, { kind: 'flow-matching' })).toBe(L + backward);
});

test('MeanFlow: L primal, L tangent, and the backward pass of flow matching', () => {
  expect(dots({}, { kind: 'meanflow' })).toBe(L + L + backward);
});

test('improved MeanFlow, boundary: one forward pass more for the tangent', () => {
  expect(dots({}, { kind: 'improved-meanflow', tangent: 'boundary' })).toBe(L + L + L + backward);
});

test('improved MeanFlow, velocity head: the pass for the tangent runs the head only, the head is not differentiated in time', () => {
  const head = 2;
  // Forward: the trunk and both heads; the tangent's pass: the trunk and the velocity head; derivative: the trunk and u.
  const forward = L + head;
  // Backward: two products a layer, one for the first, over the trunk and both heads.
  const expected = forward + L + L + (2 * forward - 1);
  expect(dots({ velocityHead: { depth: head - 1 } }, { kind: 'improved-meanflow' })).toBe(expected);
});
