/**
 * Names of the autoencoder's parameters: in the files of the diffusers library (AutoencoderKL), whose attention was renamed at
 * some point (the published weights "sd-vae-ft-mse" have the older names, and newer files the newer); and in the code that it
 * was trained with (github.com/CompVis/latent-diffusion, ldm/modules/diffusionmodules/model.py), as files of Stable Diffusion
 * have them, where the maps of attention are 1 × 1 convolutions and the decoder's levels are counted from the finest.
 */
import { treePaths, type Tree } from '@meanflow/core';
import type { ParameterSpec } from '../layers/parameters.js';
import { publishedShape, type ParameterLayout, type PublishedParameter } from './published-parameter.js';
import { renamer, type Renames } from './renames.js';

/** Whose names: of diffusers, by what the query of attention is called, or of the original code. */
export type SdVaeNaming = 'to_q' | 'query' | 'compvis';

const attention: Readonly<Record<Exclude<SdVaeNaming, 'compvis'>, readonly string[]>> = {
  to_q: ['to_q', 'to_k', 'to_v', 'to_out.0'],
  query: ['query', 'key', 'value', 'proj_attn'],
};

function halfRenames(half: 'encoder' | 'decoder', naming: keyof typeof attention): Renames {
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

/** @param levels how many there are */
function originalRenames(half: 'encoder' | 'decoder', levels: number): Renames {
  const [way, resample] = { encoder: ['down', 'downsample'], decoder: ['up', 'upsample'] }[half];
  const places = Array.from({ length: levels }, (_, level) => {
    const place = `${half}.${way}.${half === 'decoder' ? levels - 1 - level : level}`;
    return [
      [`levels/${level}/blocks/#`, `${place}.block.#`],
      [`levels/${level}/resample`, `${place}.${resample}.conv`],
    ] as const;
  });
  const maps = Object.entries({ query: 'q', key: 'k', value: 'v', out: 'proj_out', norm: 'norm' });
  return [
    ['quant', 'quant_conv'],
    ['postQuant', 'post_quant_conv'],
    ['input', `${half}.conv_in`],
    ...places.flat(),
    ['middle/before', `${half}.mid.block_1`],
    ['middle/after', `${half}.mid.block_2`],
    ...maps.map(([map, name]) => [`middle/attention/${map}`, `${half}.mid.attn_1.${name}`] as const),
    ['norm', `${half}.norm_out`],
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
  const isOriginal = naming === 'compvis';
  const paths = treePaths<ParameterSpec>(specs);
  const levels = new Set(paths.flatMap(({ path }) => /^levels\/(\d+)\//.exec(path)?.[1] ?? [])).size;
  const rename = renamer(isOriginal ? originalRenames(half, levels) : halfRenames(half, naming));
  return paths.map(({ path, leaf: { shape: ownShape } }) => {
    const layout: ParameterLayout = ownShape.length === 2 ? 'transpose' : 'same';
    const name = rename(path)
      .replace(/\/skip\//, isOriginal ? '/nin_shortcut/' : '/conv_shortcut/')
      .replace(/(kernel|scale)$/, 'weight')
      .replaceAll('/', '.');
    const shape = publishedShape(layout, ownShape);
    // There, maps of attention are convolutions of one pixel.
    const ones = isOriginal && layout === 'transpose' ? [1, 1] : [];
    return { path, name, ownShape, shape: [...shape, ...ones], layout };
  });
}
