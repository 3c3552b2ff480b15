/**
 * A classifier as a file: safetensors with the parameters, and as metadata all that decided them. Reading checks that
 * the tensors are those of the network that the metadata names.
 */
import { DataError, sameShape, treeFlatten, treePaths, treeRecord, type HostArray } from '@meanflow/core';
import { formatShape, printable, quoted } from '@meanflow/core/validation';
import {
  bytesAccess,
  encodeSafetensors,
  readSafetensors,
  readTensor,
  type RandomAccess,
} from '@meanflow/formats';
import { describeTensor, isObject, parseJson } from '@meanflow/formats/build';
import type { Described, ParameterSpec } from '@meanflow/models';
import type { ClassifierModel } from './classifier.js';
import { classifierParameterSpecs, type ClassifierConfig, type ClassifierParameters } from './network.js';

const FORMAT = 'meanflow-classifier';
/** Version 2 has checksums. */
const VERSION = 2;
const READ: readonly unknown[] = [1, 2];

/** The file's bytes; equal classifiers make equal files. */
export function encodeClassifier({ params, ...facts }: ClassifierModel): Uint8Array {
  const tensors = treeRecord<HostArray>(params);
  const metadata = { format: FORMAT, classifier: JSON.stringify({ version: VERSION, ...facts }) };
  return encodeSafetensors(tensors, metadata, { checksums: true });
}

/**
 * Reads a classifier, tensor by tensor.
 *
 * @throws {DataError} when the file is damaged, or is no classifier
 */
export async function readClassifier(access: RandomAccess): Promise<ClassifierModel> {
  const { source } = access;
  const { tensors, metadata, hasChecksums } = await readSafetensors(access);
  if (metadata.format !== FORMAT) {
    throw new DataError(
      `${source} is a safetensors file but no classifier: its metadata has format ` +
        `${metadata.format === undefined ? 'nothing' : quoted(metadata.format)}, expected "${FORMAT}".`,
    );
  }
  const { version, ...facts } = factsOf(metadata.classifier, source);
  if (version !== 1 && !hasChecksums) {
    throw new DataError(
      `${source} is damaged: a classifier of version ${VERSION} has checksums, and it has none.`,
    );
  }
  const specs = specsOf(facts.config, source);
  const { structure } = treeFlatten<ParameterSpec>(specs);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const leaves: HostArray[] = [];
  for (const { path, leaf } of treePaths<ParameterSpec>(specs)) {
    const found = byName.get(path);
    if (found?.dtype !== 'F32' || !sameShape(found.shape, leaf.shape)) {
      const given = found === undefined ? 'is missing' : `is ${describeTensor(found)}`;
      throw new DataError(
        `${source} is a damaged classifier: "${path}" ${given}, expected F32${formatShape(leaf.shape)}.`,
      );
    }
    leaves.push(await readTensor(found));
  }
  return { ...facts, params: structure.unflatten(leaves) as ClassifierParameters };
}

/** A classifier in memory; see {@link readClassifier}. @param source the file's name, for messages */
export function decodeClassifier(bytes: Uint8Array, source: string): Promise<ClassifierModel> {
  return readClassifier(bytesAccess(bytes, source));
}

type Facts = Omit<ClassifierModel, 'params'>;

function factsOf(text: string | undefined, source: string): Facts & { readonly version: unknown } {
  const what = `${source}: the metadata "classifier"`;
  const parsed = text === undefined ? {} : parseJson(text, what);
  const { version, ...facts } = (isObject(parsed) ? parsed : {}) as Partial<Facts> & {
    readonly version?: unknown;
  };
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  const { data, fingerprint, config, seed, steps, batchSize, learningRate, heldOutAccuracy } = facts;
  const isComplete =
    typeof data === 'string' &&
    ['string', 'undefined'].includes(typeof fingerprint) &&
    typeof config === 'object' &&
    [seed, steps, batchSize].every(isCount) &&
    [learningRate, heldOutAccuracy].every((value) => typeof value === 'number');
  if (!READ.includes(version) || !isComplete) {
    throw new DataError(
      `${source}: the metadata does not describe a classifier of version ${READ.join(' or ')}, got ${text === undefined ? 'nothing' : printable(text)}.`,
    );
  }
  return { version, ...(facts as Facts) };
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
