/**
 * Checkpoints: one safetensors file with everything a run goes on from (`params/…`, `optimizer/…`, `ema/<decay>/…`)
 * and, as metadata, the step, the seed, and whatever the caller needs to make sense of the tensors (configuration,
 * normalisation, data set). Nothing in it depends on when or where it was written: equal states make equal files.
 */
import {
  DataError,
  formatType,
  type HostArray,
  sameShape,
  treePaths,
  treeFlatten,
  type Tree,
} from '@meanflow/core';
import {
  decodeSafetensors,
  isObject,
  type JsonObject,
  type JsonValue,
  safetensorsChunks,
} from '@meanflow/formats';
import { ParameterSpec } from '@meanflow/models';
import type { EmaState } from './ema.js';
import { stateTree, type TrainState } from './trainer.js';
import { flattenTree } from './trees.js';

/** What a checkpoint says besides its tensors. */
export interface CheckpointFacts {
  /** The run's seed. */
  readonly seed: number;
  /** Rows in a batch: with the seed and the step it decides which rows come next. */
  readonly batchSize: number;
  /** The caller's own: configuration, normalisation, data set and the like, in plain JSON. */
  readonly info: JsonObject;
}

/** A checkpoint that was read. */
export interface Checkpoint extends CheckpointFacts {
  /** Updates made. */
  readonly step: number;
  /** What learning rates are multiplied by; 1 but in a run that went back. */
  readonly rateScale: number;
  /** Keys of the averages in it, such as `0.9999`. */
  readonly averages: readonly string[];
  /** Every tensor by its name in the file. */
  readonly tensors: Readonly<Record<string, HostArray>>;
  /** What it was read from, for messages. */
  readonly source: string;
}

const FORMAT = 'meanflow-checkpoint';
const VERSION = 1;
/** How many differences an error lists. */
const LISTED = 5;

/** A checkpoint as pieces of a file, to be written in order. */
export function checkpointChunks(state: TrainState, facts: CheckpointFacts): Uint8Array[] {
  const { seed, batchSize, info } = facts;
  return safetensorsChunks(flattenTree(stateTree(state)), {
    format: FORMAT,
    training: stableJson({
      version: VERSION,
      step: state.step,
      seed,
      batchSize,
      // Of most runs there is nothing to say, and their files are as they always were.
      ...(state.rateScale !== undefined && { rateScale: state.rateScale }),
    }),
    info: stableJson(info),
  });
}

/**
 * Reads a checkpoint.
 *
 * @param source the file's name, for messages
 * @throws {DataError} when the file is damaged, is no checkpoint, or is one of a later version
 */
export function decodeCheckpoint(bytes: Uint8Array, source = 'The data'): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, source);
  if (metadata.format !== FORMAT) {
    throw new DataError(
      `${source} is a safetensors file but no checkpoint of meanflow: its metadata has format ` +
        `${JSON.stringify(metadata.format) ?? 'nothing'}, expected "${FORMAT}".`,
    );
  }
  const training = parseObject(metadata.training, 'training', source);
  if (training.version !== VERSION) {
    throw new DataError(
      `${source} is a checkpoint of version ${JSON.stringify(training.version)}; this program reads version ${VERSION}. ` +
        'Update meanflow.',
    );
  }
  const { step, seed, batchSize, rateScale = 1 } = training;
  if (!isCount(step) || !isCount(seed) || !isCount(batchSize)) {
    throw new DataError(
      `${source}: step, seed and batchSize must be whole numbers, got ${metadata.training}.`,
    );
  }
  if (!(typeof rateScale === 'number' && rateScale > 0 && rateScale <= 1)) {
    throw new DataError(`${source}: rateScale must lie in (0, 1], got ${metadata.training}.`);
  }
  const averages = Object.keys(tensors).flatMap((name) => /^ema\/([^/]+)/.exec(name)?.[1] ?? []);
  return {
    step,
    seed,
    batchSize,
    rateScale,
    info: parseObject(metadata.info, 'info', source) as JsonObject,
    averages: [...new Set(averages)],
    tensors,
    source,
  };
}

/**
 * Parameters out of a checkpoint.
 *
 * @param expected parameters of the same network, or what describes them (`network.specs`): only structure and types are used
 * @param average the key of an average, such as `0.9999`; the parameters themselves by default
 * @throws {DataError} when the checkpoint does not hold exactly these tensors, or has no such average
 */
export function checkpointParameters<Params extends Tree<HostArray>>(
  checkpoint: Checkpoint,
  expected: Params,
  average?: string,
): Params;
export function checkpointParameters<Params extends Tree<HostArray>>(
  checkpoint: Checkpoint,
  expected: Tree<ParameterSpec>,
  average?: string,
): Params;
export function checkpointParameters(
  checkpoint: Checkpoint,
  expected: Tree<HostArray> | Tree<ParameterSpec>,
  average?: string,
): Tree<HostArray> {
  if (average !== undefined && !checkpoint.averages.includes(average)) {
    throw new DataError(
      `${checkpoint.source} has no average of decay ${average}; it has ${checkpoint.averages.join(', ') || 'none'}.`,
    );
  }
  return subtree(checkpoint, average === undefined ? 'params' : `ema/${average}`, expected);
}

/**
 * A whole training state out of a checkpoint.
 *
 * @param expected a state of the same network, optimizer and averages, such as a trainer's `initialState`
 * @throws {DataError} when the checkpoint does not hold exactly these tensors
 */
export function checkpointState<Params extends Tree<HostArray>>(
  checkpoint: Checkpoint,
  expected: TrainState<Params>,
): TrainState<Params> {
  const params = subtree(checkpoint, 'params', expected.params) as Params;
  const optimizer = subtree(checkpoint, 'optimizer', expected.optimizer);
  const ema = subtree(checkpoint, 'ema', expected.ema) as EmaState<Params>;
  const { step, rateScale } = checkpoint;
  return { step, params, optimizer, ema, ...(rateScale !== 1 && { rateScale }) };
}

/** What a part of a checkpoint is called when it does not fit. */
const otherThan: Readonly<Record<string, string>> = {
  params: 'of another architecture',
  optimizer: 'of another optimizer or architecture',
  ema: 'with other averages, or of another architecture',
};

function subtree(
  checkpoint: Checkpoint,
  prefix: string,
  expected: Tree<HostArray | ParameterSpec>,
): Tree<HostArray> {
  const { structure } = treeFlatten(expected);
  const wanted = treePaths<HostArray | ParameterSpec>(expected).map(({ path, leaf }) => ({
    name: path === '' ? prefix : `${prefix}/${path}`,
    leaf: leaf instanceof ParameterSpec ? { dtype: 'float32' as const, shape: leaf.shape } : leaf,
  }));
  const names = new Set(wanted.map(({ name }) => name));
  const present = Object.keys(checkpoint.tensors).filter(
    (name) => name === prefix || name.startsWith(`${prefix}/`),
  );
  const differences = [
    ...wanted.flatMap(({ name, leaf }) => {
      const found = Object.hasOwn(checkpoint.tensors, name) ? checkpoint.tensors[name] : undefined;
      if (found === undefined) return [`"${name}" is missing (${formatType(leaf)})`];
      const isSame = found.dtype === leaf.dtype && sameShape(found.shape, leaf.shape);
      return isSame ? [] : [`"${name}" is ${formatType(found)}, expected ${formatType(leaf)}`];
    }),
    ...present.filter((name) => !names.has(name)).map((name) => `"${name}" is not expected`),
  ];
  if (differences.length === 0)
    return structure.unflatten(wanted.map(({ name }) => checkpoint.tensors[name]));
  const listed = differences.slice(0, LISTED).join('; ');
  const more = differences.length > LISTED ? `; and ${differences.length - LISTED} more` : '';
  const kind = otherThan[prefix.split('/')[0]];
  throw new DataError(`${checkpoint.source} is a checkpoint ${kind}: ${listed}${more}.`);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseObject(text: string | undefined, field: string, source: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '');
  } catch {
    parsed = undefined;
  }
  if (!isObject(parsed)) throw new DataError(`${source}: the metadata "${field}" is not a JSON object.`);
  return parsed;
}

/** JSON with the keys of every object in order, so that equal values make equal text. */
function stableJson(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
