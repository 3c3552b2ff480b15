/**
 * Names of the U-Net's parameters and buffers in the PyTorch code of MeanFlow on CIFAR-10, as its checkpoints hold them: a
 * level is named by its side in pixels. The filters of changes of resolution are buffers there and constants here.
 */
import { HostArray } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { filterKernel } from '../layers/resample.js';
import { planUNet, type FullSongUNetConfig, type SongUNetConfig } from '../networks/song-unet-plan.js';
import {
  publishedShape,
  type ParameterLayout,
  type PublishedBuffer,
  type PublishedNames,
} from './published-parameter.js';

/** Parts of our paths, each replaced once, in this order. */
const parts: readonly (readonly [RegExp, string])[] = [
  [/^condition\/augment/, 'map_augment'],
  [/^condition\/label/, 'map_label'],
  [/^condition\/hidden/, 'map_layer0'],
  [/^condition\/out/, 'map_layer1'],
  [/attention\/norm/, 'norm2'],
  [/attention\//, ''],
  [/(kernel|scale)$/, 'weight'],
];

/** The names of a U-Net's parameters. */
export function songUNetNames({ featureShape }: SongUNetConfig): PublishedNames {
  const [, size] = leading(featureShape, 2);
  const side = (level: string | number) => {
    const pixels = size / 2 ** Number(level);
    return `${pixels}x${pixels}`;
  };
  return (path, { shape }) => {
    const moved = path
      .replace(/^input/, `enc/${side(0)}_conv`)
      .replace(/^out\//, `dec/${side(0)}_aux_`)
      .replace(
        /^(enc|dec)oder\/(\d+)\/blocks\/(\d+)/,
        (_, way, level, i) => `${way}/${side(level)}_block${i}`,
      )
      .replace(/^(enc|dec)oder\/(\d+)\/(\w+)/, (_, way, level, name) => `${way}/${side(level)}_${name}`);
    const name = parts.reduce((text, [pattern, by]) => text.replace(pattern, by), moved);
    const layout: ParameterLayout = shape.length === 2 ? 'transpose' : 'same';
    return { name: `net.${name.replaceAll('/', '.')}`, shape: publishedShape(layout, shape), layout };
  };
}

/** The buffers of a U-Net: the filter at each convolution behind a change of resolution. */
export function songUNetBuffers(config: FullSongUNetConfig): readonly PublishedBuffer[] {
  const taps = filterKernel(config.resampleFilter);
  const shape = [1, 1, taps.length, taps.length];
  const value = new HostArray('float32', shape, Float32Array.from(taps.flat()));
  const { encoder, decoder } = planUNet(config);
  const blocks = [
    ...encoder.flatMap(({ down }) => (down === undefined ? [] : [`enc.${down.size}x${down.size}_down`])),
    ...[...decoder].reverse().flatMap(({ up }) => (up === undefined ? [] : [`dec.${up.size}x${up.size}_up`])),
  ];
  return blocks.flatMap((block) =>
    ['conv0', 'skip'].map((conv) => ({
      name: `net.${block}.${conv}.resample_filter`,
      shape,
      value,
      meaning: 'the filter of changes of resolution (resampleFilter)',
    })),
  );
}
