/**
 * Checkpoints: one safetensors file with everything a run goes on from (`params/…`, `optimizer/…`, `ema/<decay>/…`, `references/<decay>/…`)
 * and, as metadata, the step, the seed, whatever the caller needs to make sense of the tensors (configuration,
 * normalisation, data set), and checksums. Nothing in it depends on when or where it was written: equal states make equal
 * files. What is read is the header; tensors are read when they are asked for, each into its own memory.
 */
import {
  DataError,
  sameShape,
  treeFlatten,
  treePaths,
  treeRecord,
  type HostArray,
  type TensorSpec,
  type Tree,
  type TreeStructure,
} from '@meanflow/core';
import { formatType, printable, printableJson, quoted } from '@meanflow/core/validation';
import {
  bytesAccess,
  readSafetensors,
  readTensor,
  verifyTensors,
  type JsonObject,
  type JsonValue,
  type RandomAccess,
  type StoredTensor,
} from '@meanflow/formats';
import {
  storedDTypes,
  isObject,
  parseJson,
  safetensorsChunks,
  safetensorsPartsOf,
  type FilePart,
} from '@meanflow/formats/build';
import type { ParameterSpec } from '@meanflow/models';
import type { EmaState } from './ema.js';
import { stateTree, type StateTypes, type TrainState } from './train-state.js';

/** What a checkpoint says besides its tensors. */
export interface CheckpointFacts {
  /** The run's seed. */
  readonly seed: number;
  /** Rows in a batch: with the seed and the step it decides which rows come next. */
  readonly batchSize: number;
  /** Checksums of the frozen networks that the objective looks at (`trainer.frozen`), which are not kept; none by default. */
  readonly frozen?: Readonly<Record<string, string>>;
  /** The caller's own: configuration, normalisation, data set and the like, in plain JSON. */
  readonly info: JsonObject;
}

/** A checkpoint that was read. */
export interface Checkpoint extends CheckpointFacts {
  /** Updates made. */
  readonly step: number;
  readonly frozen: Readonly<Record<string, string>>;
  /** What learning rates are multiplied by; 1 but in a run that went back. */
  readonly rateScale: number;
  /** Keys of the averages in it, such as `0.9999`. */
  readonly averages: readonly string[];
  /** Every tensor by its name in the file, not read yet. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Whether damage shows: checkpoints of version 1 had no checksums. */
  readonly hasChecksums: boolean;
  /** What it was read from, for messages. */
  readonly source: string;
}

const FORMAT = 'meanflow-checkpoint';
/** Version 2 has checksums. */
const VERSION = 2;
const READ: readonly unknown[] = [1, 2];
/** How many differences an error lists. */
const LISTED = 5;

/** A checkpoint as pieces of a file, to be written in order. */
export function checkpointChunks(state: TrainState, facts: CheckpointFacts): Uint8Array[] {
  return safetensorsChunks(tensorsOf(state), metadataOf(state, facts), { checksums: true });
}

/**
 * The same file as parts that come over time: a tensor's checksum is taken when it is written, so that the thread is not held by
 * those of all. The state is not to be changed meanwhile.
 */
export function checkpointParts(state: TrainState, facts: CheckpointFacts): AsyncIterable<FilePart> {
  return safetensorsPartsOf(tensorsOf(state), metadataOf(state, facts), { checksums: true });
}

function tensorsOf(state: TrainState): Readonly<Record<string, HostArray>> {
  return treeRecord<HostArray>(stateTree(state));
}

function metadataOf(
  state: TrainState,
  { seed, batchSize, info, frozen = {} }: CheckpointFacts,
): Readonly<Record<string, string>> {
  return {
    format: FORMAT,
    training: stableJson({
      version: VERSION,
      step: state.step,
      seed,
      batchSize,
      // Of most runs there is nothing to say, and their files are as they always were.
      ...(state.rateScale !== undefined && { rateScale: state.rateScale }),
      ...(Object.keys(frozen).length > 0 && { frozen }),
    }),
    info: stableJson(info),
  };
}

/**
 * Reads what a checkpoint is, without its tensors.
 *
 * @throws {DataError} when the file is damaged, as far as its header tells, is no checkpoint, or is one of a later version
 */
export async function readCheckpoint(access: RandomAccess): Promise<Checkpoint> {
  const { source } = access;
  const { tensors, metadata, hasChecksums } = await readSafetensors(access);
  if (metadata.format !== FORMAT) {
    throw new DataError(
      `${source} is a safetensors file but no checkpoint of meanflow: its metadata has format ` +
        `${metadata.format === undefined ? 'nothing' : quoted(metadata.format)}, expected "${FORMAT}".`,
    );
  }
  const training = parseObject(metadata.training, 'training', source);
  if (!READ.includes(training.version)) {
    throw new DataError(
      `${source} is a checkpoint of version ${printableJson(training.version)}; this program reads version ${READ.join(' and ')}. ` +
        'Update meanflow.',
    );
  }
  if (training.version !== 1 && !hasChecksums) {
    throw new DataError(
      `${source} is damaged: a checkpoint of version ${VERSION} has checksums, and it has none.`,
    );
  }
  const { step, seed, batchSize, rateScale = 1, frozen = {} } = training;
  if (!isCount(step) || !isCount(seed) || !isCount(batchSize)) {
    throw new DataError(
      `${source}: step, seed and batchSize must be whole numbers, got ${printableJson(training)}.`,
    );
  }
  if (!(typeof rateScale === 'number' && rateScale > 0 && rateScale <= 1)) {
    throw new DataError(`${source}: rateScale must lie in (0, 1], got ${printableJson(rateScale)}.`);
  }
  if (!isChecksums(frozen)) {
    throw new DataError(`${source}: frozen must be checksums by name, got ${printableJson(frozen)}.`);
  }
  const averages = tensors.flatMap(({ name }) => /^ema\/([^/]+)/.exec(name)?.[1] ?? []);
  return {
    step,
    seed,
    batchSize,
    rateScale,
    frozen,
    info: parseObject(metadata.info, 'info', source) as JsonObject,
    averages: [...new Set(averages)],
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    hasChecksums,
    source,
  };
}

/** A checkpoint in memory; see {@link readCheckpoint}. @param source the file's name, for messages */
export function decodeCheckpoint(bytes: Uint8Array, source = 'The data'): Promise<Checkpoint> {
  return readCheckpoint(bytesAccess(bytes, source));
}

/**
 * Reads all of a checkpoint, and keeps none of it.
 *
 * @throws {DataError} when a tensor cannot be read, or its checksum does not match
 */
export async function verifyCheckpoint({ tensors }: Checkpoint): Promise<void> {
  await verifyTensors({ tensors: [...tensors.values()] });
}

/**
 * Parameters out of a checkpoint.
 *
 * @param expected parameters of the same network, or what describes them (`network.specs`): only structure and types are used
 * @param average the key of an average, such as `0.9999`; the parameters themselves by default
 * @throws {DataError} when the checkpoint does not hold exactly these tensors, has no such average, or is damaged
 */
export function checkpointParameters<Params extends Tree<HostArray>>(
  checkpoint: Checkpoint,
  expected: Params,
  average?: string,
): Promise<Params>;
export function checkpointParameters<Params extends Tree<HostArray>>(
  checkpoint: Checkpoint,
  expected: Tree<ParameterSpec>,
  average?: string,
): Promise<Params>;
export async function checkpointParameters(
  checkpoint: Checkpoint,
  expected: Tree<HostArray> | Tree<ParameterSpec>,
  average?: string,
): Promise<Tree<HostArray>> {
  if (average !== undefined && !checkpoint.averages.includes(average)) {
    const known = printable(checkpoint.averages.join(', ') || 'none');
    throw new DataError(`${checkpoint.source} has no average of decay ${average}; it has ${known}.`);
  }
  return readPart(findPart(checkpoint, average === undefined ? 'params' : `ema/${average}`, expected));
}

/**
 * A whole training state out of a checkpoint. Nothing is read before all of it is found to fit.
 *
 * @param expected of the same network, optimizer and averages: a trainer's `stateTypes`, or a state
 * @throws {DataError} when the checkpoint does not hold exactly these tensors, or is damaged
 */
export async function checkpointState<Params extends Tree<HostArray>>(
  checkpoint: Checkpoint,
  expected: StateTypes,
): Promise<TrainState<Params>> {
  const params = findPart(checkpoint, 'params', expected.params);
  const optimizer = findPart(checkpoint, 'optimizer', expected.optimizer);
  const ema = findPart(checkpoint, 'ema', expected.ema);
  const references = findPart(checkpoint, 'references', expected.references);
  const { step, rateScale } = checkpoint;
  return {
    step,
    params: await readPart<Params>(params),
    optimizer: await readPart(optimizer),
    ema: await readPart<EmaState<Params>>(ema),
    ...(expected.references !== undefined && {
      references: await readPart<EmaState<Params>>(references),
    }),
    ...(rateScale !== 1 && { rateScale }),
  };
}

/** What a part of a checkpoint is called when it does not fit. */
const otherThan: Readonly<Record<string, string>> = {
  params: 'of another architecture',
  optimizer: 'of another optimizer or architecture',
  ema: 'with other averages, or of another architecture',
  references: 'of an objective with other averages, or of another architecture',
};

/** Part of a checkpoint that is there as it is expected. */
interface Part {
  readonly tensors: readonly StoredTensor[];
  readonly structure: TreeStructure;
}

type ExpectedLeaf = HostArray | ParameterSpec | TensorSpec;

/** @throws {DataError} when tensors are missing, are of another type, or are not expected */
function findPart(checkpoint: Checkpoint, prefix: string, expected: Tree<ExpectedLeaf>): Part {
  const { structure } = treeFlatten<ExpectedLeaf>(expected);
  const wanted = treePaths<ExpectedLeaf>(expected).map(({ path, leaf: { shape, ...leaf } }) => ({
    name: path === '' ? prefix : `${prefix}/${path}`,
    type: { dtype: 'dtype' in leaf ? leaf.dtype : ('float32' as const), shape },
  }));
  const names = new Set(wanted.map(({ name }) => name));
  const present = [...checkpoint.tensors.keys()].filter(
    (name) => name === prefix || name.startsWith(`${prefix}/`),
  );
  const differences = [
    ...wanted.flatMap(({ name, type }) => {
      const stored = checkpoint.tensors.get(name);
      if (stored === undefined) return [`"${name}" is missing (${formatType(type)})`];
      const found = { dtype: storedDTypes[stored.dtype].hostDType, shape: stored.shape };
      const isSame = found.dtype === type.dtype && sameShape(found.shape, type.shape);
      return isSame ? [] : [`"${name}" is ${formatType(found)}, expected ${formatType(type)}`];
    }),
    ...present.filter((name) => !names.has(name)).map((name) => `${quoted(name)} is not expected`),
  ];
  if (differences.length === 0) {
    return { structure, tensors: wanted.map(({ name }) => checkpoint.tensors.get(name)!) };
  }
  const listed = differences.slice(0, LISTED).join('; ');
  const more = differences.length > LISTED ? `; and ${differences.length - LISTED} more` : '';
  const [part = prefix] = prefix.split('/');
  throw new DataError(`${checkpoint.source} is a checkpoint ${otherThan[part]}: ${listed}${more}.`);
}

/** One tensor after another, so that what reading takes beside them stays small. */
async function readPart<T = Tree<HostArray>>({ tensors, structure }: Part): Promise<T> {
  const arrays: HostArray[] = [];
  for (const tensor of tensors) arrays.push(await readTensor(tensor));
  return structure.unflatten<HostArray, T>(arrays);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isChecksums(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((sum) => typeof sum === 'string');
}

function parseObject(text: string | undefined, field: string, source: string): Record<string, unknown> {
  const what = `${source}: the metadata "${field}"`;
  const parsed = text === undefined ? undefined : parseJson(text, what);
  if (!isObject(parsed)) throw new DataError(`${what} is not a JSON object.`);
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
