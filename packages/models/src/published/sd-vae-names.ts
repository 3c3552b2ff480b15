/**
 * Names of the autoencoder's parameters in the files of the diffusers library (AutoencoderKL). Its attention was renamed at
 * some point; the published weights "sd-vae-ft-mse" have the older names, and newer files the newer.
 */
import { treePaths, type Tree } from '@meanflow/core';
import type { ParameterSpec } from '../layers/parameters.js';
import { publishedShape, type ParameterLayout, type PublishedParameter } from './published-parameter.js';
import { renamer, type Renames } from './renames.js';

/** Which names the layers of attention have. */
export type SdVaeNaming = 'to_q' | 'query';

const attention: Readonly<Record<SdVaeNaming, readonly string[]>> = {
  to_q: ['to_q', 'to_k', 'to_v', 'to_out.0'],
  query: ['query', 'key', 'value', 'proj_attn'],
};

function halfRenames(half: 'encoder' | 'decoder', naming: SdVaeNaming): Renames {
  const [levels, resample] = { encoder: ['down', 'downsamplers'], decoder: ['up', 'upsamplers'] }[half];
  const middle = `${half}.mid_block`;
  const maps = ['query', 'key', 'value', 'out'].map(
    (map, i) => [`middle/attention/${map}`, `${middle}.attentions.0.${attention[naming][i]}`] as const,
  );
  return [
    ['quant', 'quant_conv'],
    ['postQuant', 'post_quant_conv'],
    ['input', `${half}.conv_in`],
    ['levels/#/blocks/#', `${half}.${levels}_blocks.#.resnets.#`],
    ['levels/#/resample', `${half}.${levels}_blocks.#.${resample}.0.conv`],
    ['middle/before', `${middle}.resnets.0`],
    ['middle/after', `${middle}.resnets.1`],
    ['middle/attention/norm', `${middle}.attentions.0.group_norm`],
    ...maps,
    ['norm', `${half}.conv_norm_out`],
    ['out', `${half}.conv_out`],
  ];
}

/**
 * Every parameter of a half of the autoencoder, as published.
 *
 * @param specs those of `sdVaeEncoder` or `sdVaeDecoder`
 * @param naming `to_q` (newer files) by default
 */
export function publishedSdVaeParameters(
  half: 'encoder' | 'decoder',
  { specs }: { readonly specs: Tree<ParameterSpec> },
  naming: SdVaeNaming = 'to_q',
): readonly PublishedParameter[] {
  const rename = renamer(halfRenames(half, naming));
  return treePaths<ParameterSpec>(specs).map(({ path, leaf: { shape } }) => {
    const layout: ParameterLayout = shape.length === 2 ? 'transpose' : 'same';
    const name = rename(path)
      .replace(/\/skip\//, '/conv_shortcut/')
      .replace(/(kernel|scale)$/, 'weight')
      .replaceAll('/', '.');
    return { path, name, ownShape: shape, shape: publishedShape(layout, shape), layout };
  });
}
