/** A network that somebody else composes, of nothing but what the package exports, trained with an objective of the package. */
import {
  add,
  compile,
  mul,
  RandomKey,
  referenceBackend,
  silu,
  sub,
  trace,
  treeFlatten,
  treeLeaves,
  treePaths,
  valueAndGrad,
  HostArray,
  type DeviceArray,
  type Tree,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import {
  classEmbeddingParameters,
  countParameters,
  embedClass,
  embeddingWidth,
  embedderParameters,
  embedFeatures,
  embedPatches,
  embedScalar,
  gatedBlock,
  gatedBlockParameters,
  initialiser,
  linear,
  linearParameters,
  meanFlow,
  modulatedNorm,
  modulations,
  patchEmbeddingParameters,
  patchGrid,
  patchWidth,
  rotaryTable2d,
  unpatchify,
  type ClassEmbeddingParameters,
  type Described,
  type EmbedderParameters,
  type GatedBlockParameters,
  type LinearParameters,
  type PatchEmbeddingParameters,
  type ScalarEmbedding,
  type TrainingBatch,
  type VelocityNetwork,
} from '../src/index.js';

interface OwnParameters {
  readonly patch: PatchEmbeddingParameters;
  readonly times: readonly EmbedderParameters[];
  readonly label: ClassEmbeddingParameters;
  readonly block: GatedBlockParameters;
  readonly modulation: LinearParameters;
  readonly out: LinearParameters;
}

const featureShape = [4, 4, 1];
const classCount = 2;
const [width, heads] = [8, 2];
const embedding: ScalarEmbedding = { kind: 'fourier', frequencies: 3 };
const grid = patchGrid(featureShape, 2);
const rotary = rotaryTable2d({ prefix: 0, rows: grid.rows, columns: grid.columns }, width / heads);

const specs: Described<OwnParameters> = {
  patch: patchEmbeddingParameters(grid, width, 'xavier'),
  times: [0, 1].map(() => embedderParameters(embeddingWidth(embedding), width, 'xavier')),
  label: classEmbeddingParameters(classCount, width, 0.02),
  block: gatedBlockParameters(width, heads, 2 * width),
  modulation: linearParameters(width, 2 * width, 'zero'),
  out: linearParameters(width, patchWidth(grid), 'zero'),
};

/** One block with rotated queries and keys; times and class shift and scale what becomes patches. */
const network: VelocityNetwork<OwnParameters> = {
  featureShape,
  classCount,
  takesGuidance: false,
  hasVelocityHead: false,
  init: initialiser(specs),
  apply: ({ patch, times, label, block, modulation, out }, inputs) => {
    const features = [inputs.t, inputs.h].map((x) => embedScalar(embedding, x));
    const [t, h] = features.map((x, i) => embedFeatures(times[i], x, silu));
    const condition = silu(add(add(t, h), embedClass(label, inputs.label, inputs.z.shape[0])));
    const tokens = gatedBlock(block, embedPatches(patch, grid, inputs.z), { heads, rotary });
    const [shift, scale] = modulations(modulation, condition, 2);
    return { u: unpatchify(grid, linear(out, modulatedNorm(tokens, shift, scale))) };
  },
};

const key = RandomKey.fromSeed(5);
const rows = 8;
/** Images of two classes: bright at the left or at the right. */
const label = new HostArray(
  'int32',
  [rows],
  Int32Array.from({ length: rows }, (_, row) => row % 2),
);
const x = new HostArray(
  'float32',
  [rows, ...featureShape],
  Float32Array.from({ length: rows * 16 }, (_, i) => (i % 4 < 2 === (Math.floor(i / 16) % 2 === 0) ? 1 : -1)),
);
const batch: TrainingBatch = { x, label };

test('is trained with MeanFlow: on one batch with one draw the error falls to half, by every parameter', async () => {
  const objective = meanFlow({ kind: 'meanflow' });
  const draws = objective.draw({ network, key: key.fold('draws'), batch, step: 0 });
  const state = { params: network.init(key.fold('init')) };
  const step = trace((input) => {
    const loss = (params: Symbolic<OwnParameters>) => {
      const given = { network, params, batch: input.batch, draws: input.draws, references: {} };
      const { loss, metrics } = objective.loss(given);
      return [loss, metrics.squaredError] as const;
    };
    const [[, error], gradient] = valueAndGrad(loss, { hasAux: true })(input.params);
    return { error, params: descended(input.params, gradient) };
  }, { ...state, batch, draws }); // prettier-ignore
  await using backend = referenceBackend();
  const { run } = await compile(backend, step, { state: { params: 'params' } });
  const errors: number[] = [];
  let params: Parameters<typeof run>[0]['params'] = state.params;
  for (let i = 0; i < 40; i++) {
    const result = await run({ params, batch, draws });
    errors.push((await result.error.read()).data[0]);
    params = result.params;
  }
  expect(errors).toEqual(errors.toSorted((a, b) => b - a));
  expect(errors.at(-1)).toBeLessThan(errors[0] / 2);
  const before = treePaths<HostArray>({ ...state.params });
  expect(countParameters(specs)).toBe(before.reduce((sum, { leaf }) => sum + leaf.size, 0));
  const after = treeLeaves<DeviceArray>(params as Tree<DeviceArray>);
  for (const [i, { path, leaf }] of before.entries()) {
    expect({ path, data: (await after[i].read()).data }).not.toEqual({ path, data: leaf.data });
  }
});

/** A step of gradient descent. */
function descended(
  params: Symbolic<OwnParameters>,
  gradient: Symbolic<OwnParameters>,
): Symbolic<OwnParameters> {
  const gradients = treeLeaves<Tensor>(gradient);
  const { leaves, structure } = treeFlatten<Tensor>(params);
  return structure.unflatten<Tensor, Symbolic<OwnParameters>>(
    leaves.map((leaf, i) => sub(leaf, mul(0.05, gradients[i]))),
  );
}
