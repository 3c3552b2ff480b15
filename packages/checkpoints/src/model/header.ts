/**
 * Model files: safetensors with `params/<path>` for each parameter and, as metadata, what the model is. Unlike a
 * checkpoint of a run there is no state of a training in it, and weights may be float16.
 */
import { DataError } from '@meanflow/core';
import { printableJson } from '@meanflow/core/validation';
import type { SafetensorsFile } from '@meanflow/formats';
import { isObject, parseJson } from '@meanflow/formats/build';
import type { ModelDescription } from '../import/target.js';

export const MODEL_FORMAT = 'meanflow-model';
/** Version 2 has checksums. */
const VERSION = 2;
const READ: readonly unknown[] = [1, 2];

/** What a model file says of itself. */
export interface ModelFacts {
  /** Name of the published model, if it is one. */
  readonly name: string | undefined;
  readonly description: ModelDescription;
  /** What it was imported from: the format, and which of the weights in it. */
  readonly origin: { readonly format: string; readonly weights: string };
}

/** The metadata of a file. Equal facts give equal text. */
export function modelMetadata({ name, description, origin }: ModelFacts): Readonly<Record<string, string>> {
  const model = { version: VERSION, ...(name === undefined ? {} : { name }), ...description, origin };
  return { format: MODEL_FORMAT, model: JSON.stringify(sorted(model)) };
}

/**
 * The facts of a file's metadata. The configuration is checked when a network is made from it.
 *
 * @throws {DataError} when it is no model file, one of a later version, or lacks the checksums that it should have
 */
export function parseModelMetadata({
  metadata,
  source,
  hasChecksums,
}: Pick<SafetensorsFile, 'metadata' | 'source' | 'hasChecksums'>): ModelFacts {
  if (metadata.format !== MODEL_FORMAT) {
    const hint =
      metadata.format === 'meanflow-checkpoint'
        ? 'It is a checkpoint of a run.'
        : 'Import it first: meanflow import.';
    throw new DataError(`${source} is a safetensors file, but no model of meanflow. ${hint}`);
  }
  const what = `${source}: the metadata "model"`;
  const model = metadata.model === undefined ? undefined : parseJson(metadata.model, what);
  if (!isObject(model)) throw new DataError(`${what} is not a JSON object.`);
  const { version, name, origin, network, autoencoder } = model;
  if (!READ.includes(version)) {
    throw new DataError(
      `${source} is a model file of version ${printableJson(version)}; this program reads version ${READ.join(' and ')}. Update meanflow.`,
    );
  }
  if (version !== 1 && !hasChecksums) {
    throw new DataError(
      `${source} is damaged, or was written anew by another program: a model file of version ${VERSION} has checksums, and it has none.`,
    );
  }
  const isHalf = isObject(autoencoder) && (autoencoder.half === 'encoder' || autoencoder.half === 'decoder');
  if (!isObject(network) && !isHalf) throw new DataError(`${source} does not say which network it holds.`);
  const { format, weights } = isObject(origin) ? origin : {};
  return {
    name: typeof name === 'string' ? name : undefined,
    // As the file says: whoever makes the network checks it, by the schema of its kind.
    description: (isObject(network) ? { network } : { autoencoder }) as unknown as ModelDescription,
    origin: { format: String(format), weights: String(weights) },
  };
} // prettier-ignore

/** With the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  );
}
