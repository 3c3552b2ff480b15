/** How published models are sampled by default: the settings that their authors evaluated with. */
import { createNetwork, networkPreset } from '@meanflow/models';
import type { Generator } from '@meanflow/runs/node';
import { withGuidance, publishedData, publishedSampling } from '@meanflow/runs/command';

/** The published model of a name, but for its parameters. */
function published(name: string): Generator {
  const config = networkPreset(name);
  const network = createNetwork(config);
  const facts = { name, description: { network: config }, origin: { format: '', weights: '' } };
  return {
    ...{ network, params: {}, origin: name, notes: [] },
    data: publishedData(facts, network),
    ...publishedSampling(facts, network),
    guidance: network.takesGuidance ? 'condition' : undefined,
  };
}

test.each([
  // github.com/Lyy-iiis/imeanflow, configs/eval_config.yml
  ['imf-dit-b-2', 1, [8, 0.4, 0.65], 1],
  ['imf-dit-m-2', 1, [10.5, 0.4, 0.6], 1],
  ['imf-dit-l-2', 2, [10.5, 0.4, 0.6], 1],
  ['imf-dit-xl-2', 1, [8, 0.42, 0.62], 1],
  ['imf-dit-xl-2', 2, [4, 0.36, 0.64], 1],
  ['imf-dit-xl-2-train', 2, [4, 0.36, 0.64], 1],
  // github.com/Lyy-iiis/pMF, configs/eval_config.yml; H on the branch hsdp
  ['pmf-dit-b-16', 1, [8.5, 0.1, 0.7], 1],
  ['pmf-dit-b-32', 1, [6.5, 0.1, 0.7], 2],
  ['pmf-dit-l-16', 1, [7, 0.2, 0.7], 1],
  ['pmf-dit-l-32', 1, [7.5, 0.2, 0.6], 4],
  ['pmf-dit-h-16', 1, [7, 0.2, 0.6], 2],
  ['pmf-dit-h-32', 2, [5.5, 0.1, 0.6], 4],
] as const)('%s at %d NFE', (name, nfe, [scale, start, end], noiseScale) => {
  const model = published(name);
  expect(withGuidance(model, nfe, {}).sampling.guidance).toEqual({ scale, start, end });
  expect(withGuidance(model, nfe, { guidance: 2 }).sampling.guidance).toEqual({ scale: 2, start, end });
  const interval = withGuidance(model, nfe, { guidanceInterval: [0, 1] }).sampling.guidance;
  expect(interval).toEqual({ scale, start: 0, end: 1 });
  expect(model.network.noiseScale ?? 1).toBe(noiseScale);
});

test.each(['dit-b-4', 'dit-xl-2', 'song-unet-cifar10'])('%s has no guidance', (name) => {
  const model = published(name);
  expect(model.sampling.guidance).toBeUndefined();
  expect(withGuidance(model, 1, {})).toBe(model);
});

test('latents are given back as the autoencoder has them, images from 0 to 255', () => {
  const of = (name: string) => published(name).data.normalisation;
  expect(of('dit-b-4')).toEqual({ kind: 'standard', mean: [0], scale: [1 / 0.18215] });
  expect(of('imf-dit-b-2').mean).toEqual([0.86488, -0.27787343, 0.21616915, 0.3738409]);
  expect(of('pmf-dit-b-16')).toEqual({ kind: 'range', mean: [127.5], scale: [127.5] });
  expect(published('song-unet-cifar10').data.imageShape).toEqual([32, 32, 3]);
});
