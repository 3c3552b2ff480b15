/**
 * Loading what samples are drawn from: a run's checkpoint, or a model file that `meanflow import` wrote, with the decoder
 * that turns its latents into images where one is given.
 */
import { isModelFile, openDecoder, openModel } from '@meanflow/checkpoints/node';
import { ArgumentError, formatShape, sameShape, transpose } from '@meanflow/core';
import { rangeNormalisation } from '@meanflow/data';
import { latentDecoder } from '@meanflow/models';
import { publishedData, publishedSampling } from './published.js';
import { checkFiniteParameters, loadModel, type Generator, type LoadOptions } from './model.js';

/** Samples of a published network that are drawn at once; its activations take hundreds of megabytes. */
const AT_ONCE = 16;

export interface GeneratorOptions extends LoadOptions {
  /** A model file with the decoder of an autoencoder, for models of latents. */
  readonly vae?: string | undefined;
}

/**
 * What samples can be drawn from, by its path.
 *
 * @param path a run's folder, a checkpoint of a run, or a model file
 * @throws {DataError} when it is missing, damaged, or none of these, or its parameters are not finite
 * @throws {ArgumentError} when a decoder is given for a model whose samples it does not take
 */
export async function loadGenerator(
  path: string,
  { vae, average, notify }: GeneratorOptions = {},
): Promise<Generator> {
  const isImported = await isModelFile(path);
  if (isImported && average !== undefined) {
    throw new ArgumentError(`--average: "${path}" is an imported model, which has one set of parameters.`);
  }
  const own = isImported ? await imported(path) : (await loadModel(path, { average, notify })).model;
  const generator = channelsLast(own);
  checkFiniteParameters(generator.params, `"${path}"`);
  return vae === undefined ? generator : withDecoder(generator, vae);
}

async function imported(path: string): Promise<Generator> {
  const { facts, network, params } = await openModel(path);
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
function channelsLast(generator: Generator): Generator {
  const { data } = generator;
  const { featureShape, imageShape } = data;
  if (imageShape === undefined || imageShape[0] === featureShape[0]) return generator;
  const [height, width, channels] = imageShape;
  if (!sameShape(featureShape, [channels, height, width])) return generator;
  return {
    ...generator,
    data: { ...data, featureShape: imageShape },
    decoder: { params: {}, apply: (_, x) => transpose(x, [0, 2, 3, 1]), rows: 256 },
  };
}

/** With the decoder of an autoencoder, so that samples are images in [−1, 1]. */
async function withDecoder(generator: Generator, path: string): Promise<Generator> {
  const { network, params } = await openDecoder(path);
  const { latentChannels, imageChannels, channels } = network.config;
  const { data } = generator;
  const [height, width, depth] = data.featureShape;
  if (data.imageShape !== undefined || data.featureShape.length !== 3 || depth !== latentChannels) {
    throw new ArgumentError(
      `The decoder "${path}" takes latents [height, width, ${latentChannels}]; samples of ${generator.origin} are ` +
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
