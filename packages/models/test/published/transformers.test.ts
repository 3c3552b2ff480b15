/** Names, shapes and counts of the published transformers, without allocating them. */
import { hostZeros, sizeOf } from '@meanflow/core';
import { createNetwork, networkPreset, type DitConfig } from '../../src/index.js';
import { arrangePublished, publishedParameters } from '../../src/published.js';

/** Counted in the published code; `names` and shapes in full are compared with it by the parity of `facts`. */
const counts: [string, number][] = [
  ['dit-b-4', 131_165_248],
  ['dit-b-2', 131_091_472],
  ['dit-m-2', 308_019_216],
  ['dit-l-2', 459_137_040],
  ['dit-xl-2', 676_440_592],
  ['imf-dit-b-2', 88_948_256],
  ['imf-dit-b-2-train', 145_596_960],
  ['imf-dit-m-2', 173_921_312],
  ['imf-dit-m-2-train', 230_570_016],
  ['imf-dit-l-2', 409_071_648],
  ['imf-dit-l-2-train', 509_752_352],
  ['imf-dit-xl-2', 610_433_056],
  ['imf-dit-xl-2-train', 711_113_760],
  ['pmf-dit-b-16', 118_234_240],
  ['pmf-dit-b-16-train', 175_474_304],
  ['pmf-dit-l-16', 410_320_768],
  ['pmf-dit-l-16-train', 511_789_696],
  ['pmf-dit-h-16', 954_956_032],
  ['pmf-dit-h-16-train', 1_113_259_520],
];

test.each(counts)('%s has %d parameters', (name, count) => {
  const config = networkPreset(name);
  expect(createNetwork(config).parameterCount).toBe(count);
  const published = publishedParameters(config);
  expect(published.reduce((total, { shape }) => total + sizeOf(shape), 0)).toBe(count);
  expect(new Set(published.map((parameter) => parameter.name)).size).toBe(published.length);
});

describe('the PyTorch code', () => {
  const by = (preset: string) =>
    new Map(
      publishedParameters(networkPreset(preset), 'torch').map((parameter) => [parameter.name, parameter]),
    );

  test('of improved MeanFlow', () => {
    const names = by('imf-dit-b-2');
    expect(names.size).toBe(publishedParameters(networkPreset('imf-dit-b-2')).length);
    expect(names.get('net.shared_blocks.3.attn.q_norm.weight')).toMatchObject({
      shape: [64],
      layout: 'same',
    });
    expect(names.get('net.u_heads.7.mlp.w1._flax_linear.weight')).toMatchObject({ shape: [2048, 768], ownShape: [768, 2048], layout: 'transpose' }); // prettier-ignore
    expect(names.get('net.h_embedder.mlp.2._flax_linear.bias')).toMatchObject({ shape: [768] });
    expect(names.get('net.x_embedder.proj.weight')).toMatchObject({ shape: [768, 4, 2, 2], ownShape: [2, 2, 4, 768], layout: 'oihw-to-hwio' }); // prettier-ignore
    expect(names.get('net.y_embedder.embedding_table._flax_embedding.weight')).toMatchObject({
      shape: [1001, 768],
    });
    expect(names.get('net.class_tokens')).toMatchObject({ shape: [8, 768], layout: 'same' });
  });

  test('of pixel MeanFlow', () => {
    const names = by('pmf-dit-b-16');
    expect(names.get('net.x_embedder.proj2.weight')).toMatchObject({ shape: [768, 128, 1, 1], ownShape: [128, 768], layout: 'transpose' }); // prettier-ignore
    expect(names.get('net.pos_embed')).toMatchObject({ shape: [1, 276, 768] });
    expect(names.get('net.y_embedder.embedding_table._flax_embedding.weight')).toMatchObject({
      shape: [1001, 768],
    });
  });
});

test('every published shape can be arranged as ours', () => {
  for (const source of ['jax', 'torch'] as const) {
    const small = { ...networkPreset('pmf-dit-b-16'), width: 8, heads: 2, depth: 8, classCount: 3 } as const;
    for (const parameter of publishedParameters({ ...small, featureShape: [32, 32, 3] } as never, source)) {
      const { shape, ownShape } = parameter;
      const array = arrangePublished(parameter, hostZeros(shape));
      expect(array.shape).toEqual(ownShape);
    }
  }
});

test('what nobody published has no names', () => {
  const config = networkPreset('dit-b-2') as DitConfig;
  expect(() => publishedParameters({ ...config, times: 't-and-r' }, 'jax')).toThrow(/No jax code was published for networks of kind "dit" \(sources: torch\)/); // prettier-ignore
  expect(() => publishedParameters({ ...config, times: 'h' })).toThrow(/sees t and h/);
  expect(() => publishedParameters({ ...config, guidance: true })).toThrow(
    /no parameter for "condition\/embedders\/2/,
  );
  expect(() => publishedParameters({ ...config, velocityHead: { depth: 1 } })).toThrow(
    /no parameter for "velocityHead/,
  );
});
