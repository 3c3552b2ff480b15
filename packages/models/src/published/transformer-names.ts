/**
 * Names of the transformers' parameters in the code that their authors published: MeanFlow
 * (github.com/Gsunshine/meanflow, models/models_dit.py), improved MeanFlow (github.com/Lyy-iiis/imeanflow,
 * models/imfDiT.py) and pixel MeanFlow (github.com/Lyy-iiis/pMF, models/pmfDiT.py), and in the PyTorch branches of the
 * latter two. MeanFlow's DiT in PyTorch has the names of DiT and SiT (github.com/willisma/SiT, models.py), as the ports of
 * MeanFlow that train it have: its first embedder is that of t, the second that of h or of r.
 */
import { ArgumentError, type Shape } from '@meanflow/core';
import { patchGrid } from '../layers/patches.js';
import { sinusoidalPositions } from '../layers/positions.js';
import {
  publishedShape,
  type ParameterLayout,
  type PublishedBuffer,
  type PublishedNames,
  type PublishedSource,
} from './published-parameter.js';
import { renamer, type Renames } from './renames.js';

const DENSE = '_flax_linear';

const meanFlow: Renames = [
  ['patch', 'net/x_embedder/proj'],
  ['condition/embedders/0/hidden', `net/t_embedder/mlp/layers_0/${DENSE}`],
  ['condition/embedders/0/out', `net/t_embedder/mlp/layers_2/${DENSE}`],
  ['condition/embedders/1/hidden', `net/h_embedder/mlp/layers_0/${DENSE}`],
  ['condition/embedders/1/out', `net/h_embedder/mlp/layers_2/${DENSE}`],
  ['condition/label/table', 'net/y_embedder/embedding_table/_flax_embedding/embedding'],
  ['blocks/#/modulation', `net/blocks/layers_#/adaLN_modulation/layers_1/${DENSE}`],
  ['blocks/#/attention/qkv', `net/blocks/layers_#/attn/qkv/${DENSE}`],
  ['blocks/#/attention/out', `net/blocks/layers_#/attn/proj/${DENSE}`],
  ['blocks/#/mlp/hidden', `net/blocks/layers_#/mlp/fc1/${DENSE}`],
  ['blocks/#/mlp/out', `net/blocks/layers_#/mlp/fc2/${DENSE}`],
  ['out/modulation', `net/final_layer/adaLN_modulation/layers_1/${DENSE}`],
  ['out/linear', `net/final_layer/linear/${DENSE}`],
];

/** DiT's and SiT's modules. @param second the embedder of the second time */
const sit = (second: 'h' | 'r'): Renames => [
  ['patch', 'x_embedder/proj'],
  ['condition/embedders/0/hidden', 't_embedder/mlp/0'],
  ['condition/embedders/0/out', 't_embedder/mlp/2'],
  ['condition/embedders/1/hidden', `${second}_embedder/mlp/0`],
  ['condition/embedders/1/out', `${second}_embedder/mlp/2`],
  ['condition/label/table', 'y_embedder/embedding_table/kernel'],
  ['blocks/#/modulation', 'blocks/#/adaLN_modulation/1'],
  ['blocks/#/attention/qkv', 'blocks/#/attn/qkv'],
  ['blocks/#/attention/out', 'blocks/#/attn/proj'],
  ['blocks/#/mlp/hidden', 'blocks/#/mlp/fc1'],
  ['blocks/#/mlp/out', 'blocks/#/mlp/fc2'],
  ['out/modulation', 'final_layer/adaLN_modulation/1'],
  ['out/linear', 'final_layer/linear'],
];

/** The blocks at `path`. */
const blocks = (path: string, name: string): Renames => [
  [`${path}/#/attention/norm/scale`, `${name}_#/norm1/kernel`],
  [`${path}/#/attention/query`, `${name}_#/attn/q_proj/${DENSE}`],
  [`${path}/#/attention/key`, `${name}_#/attn/k_proj/${DENSE}`],
  [`${path}/#/attention/value`, `${name}_#/attn/v_proj/${DENSE}`],
  [`${path}/#/attention/queryNorm/scale`, `${name}_#/attn/q_norm/kernel`],
  [`${path}/#/attention/keyNorm/scale`, `${name}_#/attn/k_norm/kernel`],
  [`${path}/#/attention/out`, `${name}_#/attn/out_proj/${DENSE}`],
  [`${path}/#/attention/gate`, `${name}_#/attn_scale`],
  [`${path}/#/mlp/norm/scale`, `${name}_#/norm2/kernel`],
  [`${path}/#/mlp/swiGlu/gate`, `${name}_#/mlp/w1/${DENSE}`],
  [`${path}/#/mlp/swiGlu/out`, `${name}_#/mlp/w2/${DENSE}`],
  [`${path}/#/mlp/swiGlu/value`, `${name}_#/mlp/w3/${DENSE}`],
  [`${path}/#/mlp/gate`, `${name}_#/mlp_scale`],
];

/** The tokens of a number, and what embeds it. */
const numberTokens = (path: string, embedder: string, tokens: string): Renames => [
  [`conditions/${path}/hidden`, `net/${embedder}/mlp/layers_0/${DENSE}`],
  [`conditions/${path}/out`, `net/${embedder}/mlp/layers_2/${DENSE}`],
  [`conditions/${path}/tokens`, `net/${tokens}`],
];

/** A head with its own blocks and its output. */
const head = (path: string, name: string): Renames => [
  ...blocks(`${path}/blocks`, `net/${name}_heads`),
  [`${path}/norm/scale`, `net/${name}_final_layer/norm/kernel`],
  [`${path}/linear`, `net/${name}_final_layer/linear/${DENSE}`],
];

const inContext: Renames = [
  ['conditions/label/tokens', 'net/class_tokens'],
  ...numberTokens('omega', 'omega_embedder', 'omega_tokens'),
  ...numberTokens('tMin', 'cfg_t_start_embedder', 't_min_tokens'),
  ...numberTokens('tMax', 'cfg_t_end_embedder', 't_max_tokens'),
  ...numberTokens('h', 'h_embedder', 'time_tokens'),
  ...blocks('blocks', 'net/shared_blocks'),
  ...head('averageHead', 'u'),
  ...head('velocityHead', 'v'),
];

const improved: Renames = [
  ...inContext,
  ['patch', 'net/x_embedder/proj'],
  ['conditions/label/table', 'net/y_embedder/embedding_table/_flax_embedding/embedding'],
];

const pixel: Renames = [
  ...inContext,
  ['patch/reduce', 'net/x_embedder/proj1'],
  ['patch/expand', 'net/x_embedder/proj2'],
  ['conditions/label/table', 'net/y_embedder/embedding_table/embedding'],
  ['positions', 'net/pos_embed'],
];

/** Axes of size 1 that published arrays have beside ours. */
type Ones = (name: string, shape: Shape) => Shape;

const none: Ones = (_, shape) => shape;

/** In pixel MeanFlow's code tokens and positions have a batch axis, and the bottleneck is mapped by a 1 × 1 convolution. */
const pixelOnes: Ones = (name, shape) => {
  if (/_tokens$|pos_embed$|embedding_table\/embedding$/.test(name)) return [1, ...shape];
  if (name === 'net/x_embedder/proj2/kernel') return [1, 1, ...shape];
  return name === 'net.x_embedder.proj2.weight' ? [...shape, 1, 1] : shape;
};

/** Names and shapes of JAX code: arrays as ours. */
const jax = (renames: Renames, ones = none): PublishedNames => {
  const rename = renamer(renames);
  return (path, { shape }) => {
    const name = rename(path);
    return { name, shape: ones(name, shape), layout: 'same' };
  };
};

/** Names and shapes of the PyTorch code that follows JAX code: the same modules, weights `[out, in]`. */
const torch = (renames: Renames, ones = none): PublishedNames => {
  const rename = renamer(renames);
  return (path, { shape }) => {
    const name = rename(path)
      .replace(/layers_(\d+)/, '$1')
      .replace(/(shared_blocks|[uv]_heads)_(\d+)/, '$1.$2')
      .replace('embedding_table/embedding', 'embedding_table/_flax_embedding/embedding')
      .replace(/(kernel|embedding)$/, 'weight')
      .replaceAll('/', '.');
    const layout = torchLayout(path, shape.length);
    return { name, shape: ones(name, publishedShape(layout, shape)), layout };
  };
};

function torchLayout(path: string, axes: number): ParameterLayout {
  if (!path.endsWith('/kernel')) return 'same';
  return axes === 4 ? 'oihw-to-hwio' : 'transpose';
}

/**
 * MeanFlow's DiT by the times that it sees.
 *
 * @throws {ArgumentError} when nobody published one that sees these
 */
export function ditNames(times: string): Readonly<Partial<Record<PublishedSource, PublishedNames>>> {
  if (times === 't-and-h') return { jax: jax(meanFlow), torch: torch(sit('h')) };
  if (times === 't-and-r') return { torch: torch(sit('r')) };
  throw new ArgumentError(
    `MeanFlow's DiT sees t and h, or t and r; nobody published one with times: '${times}'.`,
  );
}

/** What the published code of MeanFlow's DiT keeps beside its parameters. */
export function ditBuffers({
  featureShape,
  patchSize,
  width,
}: {
  readonly featureShape: Shape;
  readonly patchSize: number;
  readonly width: number;
}): readonly PublishedBuffer[] {
  const grid = patchGrid(featureShape, patchSize);
  const positions = sinusoidalPositions(grid.rows, grid.columns, width).to('float32');
  const shape = [1, ...positions.shape];
  return [
    {
      name: 'pos_embed',
      shape,
      value: positions.reshape(shape),
      meaning: 'the positions of patches (sines and cosines of column and row)',
    },
  ];
}

/** By kind of network and source. */
export const transformerNames = {
  'imf-dit': { jax: jax(improved), torch: torch(improved) },
  'pmf-dit': { jax: jax(pixel, pixelOnes), torch: torch(pixel, pixelOnes) },
} as const;
