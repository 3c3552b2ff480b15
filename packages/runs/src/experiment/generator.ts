/** What is made of a model before it is sampled from: images as every picture has them, latents decoded into images. */
import type { Model as ImportedModel, readDecoder } from '@meanflow/checkpoints';
import { ArgumentError, sameShape, transpose } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { rangeNormalisation } from '@meanflow/data';
import { latentDecoder } from '@meanflow/models';
import { publishedData, publishedSampling } from './published.js';
import type { Generator } from './model.js';

type Decoder = Awaited<ReturnType<typeof readDecoder>>;

/** Samples of a published network that are drawn at once; its activations take hundreds of megabytes. */
const AT_ONCE = 16;

/** An imported model, sampled as its authors evaluated it. */
export function importedGenerator({ facts, network, params }: ImportedModel): Generator {
  return {
    network,
    params,
    data: publishedData(facts, network),
    ...publishedSampling(facts, network),
    guidance: network.takesGuidance ? 'condition' : undefined,
    origin: facts.name ?? network.config.kind,
    atOnce: AT_ONCE,
    notes: [],
  };
}

/** With images as every picture has them, where the network makes them with their channels first. */
export function channelsLast(generator: Generator): Generator {
  const { data } = generator;
  const { featureShape, imageShape } = data;
  if (imageShape === undefined || imageShape[0] === featureShape[0]) return generator;
  const [height, width, channels] = leading(imageShape, 3);
  if (!sameShape(featureShape, [channels, height, width])) return generator;
  return {
    ...generator,
    data: { ...data, featureShape: imageShape },
    decoder: { params: {}, apply: (_, x) => transpose(x, [0, 2, 3, 1]), rows: 256 },
  };
}

/**
 * With the decoder of an autoencoder, so that samples are images in [−1, 1].
 *
 * @param name of the decoder, for messages
 * @throws {ArgumentError} when the model makes no latents, or others than the decoder takes
 */
export function withDecoder(generator: Generator, { network, params }: Decoder, name: string): Generator {
  const { latentChannels, imageChannels, channels } = network.config;
  const { data } = generator;
  const [height = 0, width = 0, depth] = data.featureShape;
  if (data.imageShape !== undefined || data.featureShape.length !== 3 || depth !== latentChannels) {
    throw new ArgumentError(
      `The decoder "${name}" takes latents [height, width, ${latentChannels}]; samples of ${generator.origin} are ` +
        `${formatShape(data.featureShape)}${data.imageShape === undefined ? '' : ', which are images already'}.`,
    );
  }
  const factor = 2 ** (channels.length - 1);
  const imageShape = [factor * height, factor * width, imageChannels];
  const { mean, scale } = data.normalisation;
  const decoder = latentDecoder(network, params, { mean, std: scale });
  return {
    ...generator,
    data: { ...data, featureShape: imageShape, imageShape, normalisation: rangeNormalisation(1, 0, 255) },
    // One at a time: at full resolution an image takes hundreds of megabytes of activations.
    decoder: { ...decoder, rows: 1 },
  };
}
