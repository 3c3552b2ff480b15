/** Opening a model by its path, and keeping one alone in a file. */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from '@meanflow/core';
import { describeValue } from '@meanflow/core/validation';
import { isModelFile, openDecoder } from '@meanflow/checkpoints/node';
import { fileAccess } from '@meanflow/formats/node';
import { withDecoder } from '../experiment/generator.js';
import { loadModel, type LoadOptions } from '../experiment/load-model.js';
import { writeOutputs } from '../files.js';
import {
  OpenModel,
  openModel as openSource,
  openTrained,
  readOpenModel,
  type ModelSource,
} from '../open-model.js';

export interface OpenOptions extends LoadOptions {
  /** A model file with the decoder of an autoencoder, for models of latents. */
  readonly decoder?: string | undefined;
}

/**
 * Opens a model: a run's folder (its latest intact checkpoint), a checkpoint, a model that was saved alone or one that was imported, by
 * its path; or from an address, a Blob or bytes.
 *
 * @throws {DataError} when it is missing, damaged, or none of these, or its parameters are not finite
 * @throws {ArgumentError} when it keeps no such average, or its samples are not what the decoder takes
 */
export async function openModel(
  source: string | ModelSource,
  { average, decoder, notify }: OpenOptions = {},
): Promise<OpenModel> {
  const model = await openPlain(source, { average, notify });
  if (decoder === undefined) return model;
  return new OpenModel(withDecoder(model.generator, await openDecoder(decoder), decoder), model.trained);
}

async function openPlain(source: string | ModelSource, options: LoadOptions): Promise<OpenModel> {
  const path = source instanceof URL && source.protocol === 'file:' ? fileURLToPath(source) : source;
  if (typeof path !== 'string') return openSource(path, { average: options.average });
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path)) {
    throw new ArgumentError(
      `A text is the path of a file, got ${describeValue(path)}: an address is new URL(…).`,
    );
  }
  if (await isModelFile(path)) return readOpenModel(await fileAccess(path), options.average);
  return openTrained((await loadModel(path, options)).model, path);
}

/**
 * Writes a model alone: its parameters, its configuration and the facts of its data, without what training goes on from. It opens again
 * wherever a checkpoint does.
 *
 * @returns its size in bytes
 * @throws {ArgumentError} for an imported model, whose file holds nothing else already
 */
export async function saveModel(model: OpenModel, path: string): Promise<number> {
  await writeOutputs(path, model.toChunks());
  return (await stat(path)).size;
}
