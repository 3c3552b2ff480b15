/**
 * A classifier as a file: safetensors with the parameters, and as metadata all that decided them. Reading checks that
 * the tensors are those of the network that the metadata names.
 */
import {
  DataError,
  formatShape,
  formatType,
  sameShape,
  treeFlatten,
  treePaths,
  type HostArray,
} from '@meanflow/core';
import { decodeSafetensors, encodeSafetensors } from '@meanflow/formats';
import type { Described, ParameterSpec } from '@meanflow/models';
import type { ClassifierModel } from './classifier.js';
import { classifierParameterSpecs, type ClassifierConfig, type ClassifierParameters } from './network.js';

const FORMAT = 'meanflow-classifier';
const VERSION = 1;

/** The file's bytes; equal classifiers make equal files. */
export function encodeClassifier({ params, ...facts }: ClassifierModel): Uint8Array {
  const tensors = Object.fromEntries(treePaths<HostArray>(params).map(({ path, leaf }) => [path, leaf]));
  return encodeSafetensors(tensors, {
    format: FORMAT,
    classifier: JSON.stringify({ version: VERSION, ...facts }),
  });
}

/**
 * Reads a classifier.
 *
 * @param source the file's name, for messages
 * @throws {DataError} when the file is damaged, or is no classifier
 */
export function decodeClassifier(bytes: Uint8Array, source: string): ClassifierModel {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  if (metadata.format !== FORMAT) {
    throw new DataError(
      `${source} is a safetensors file but no classifier: its metadata has format ` +
        `${JSON.stringify(metadata.format) ?? 'nothing'}, expected "${FORMAT}".`,
    );
  }
  const facts = factsOf(metadata.classifier, source);
  const specs = specsOf(facts.config, source);
  const { structure } = treeFlatten<ParameterSpec>(specs);
  const leaves = treePaths<ParameterSpec>(specs).map(({ path, leaf }) => {
    const found = Object.hasOwn(tensors, path) ? tensors[path] : undefined;
    if (found?.dtype !== 'float32' || !sameShape(found.shape, leaf.shape)) {
      const given = found === undefined ? 'is missing' : `is ${formatType(found)}`;
      throw new DataError(
        `${source} is a damaged classifier: "${path}" ${given}, expected float32 ${formatShape(leaf.shape)}.`,
      );
    }
    return found;
  });
  return { ...facts, params: structure.unflatten(leaves) as ClassifierParameters };
}

type Facts = Omit<ClassifierModel, 'params'>;

function factsOf(text: string | undefined, source: string): Facts {
  const { version, ...facts } = parse(text) as Partial<Facts> & { readonly version?: unknown };
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const { data, fingerprint, config, seed, steps, batchSize, learningRate, heldOutAccuracy } = facts;
  const isComplete =
    typeof data === 'string' &&
    ['string', 'undefined'].includes(typeof fingerprint) &&
    typeof config === 'object' &&
    [seed, steps, batchSize].every(isCount) &&
    [learningRate, heldOutAccuracy].every((value) => typeof value === 'number');
  if (version !== VERSION || !isComplete) {
    throw new DataError(
      `${source}: the metadata does not describe a classifier of version ${VERSION}, got ${text ?? 'nothing'}.`,
    );
  }
  return facts as Facts;
}

function specsOf(config: ClassifierConfig, source: string): Described<ClassifierParameters> {
  try {
    return classifierParameterSpecs(config);
  } catch (error) {
    throw new DataError(`${source}: the metadata names no network: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '{}') ?? {};
  } catch {
    return {};
  }
}
