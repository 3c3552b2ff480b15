/**
 * What a run or samples would take in memory, at least, before anything is allocated: a slip in a size (a width of a million, a
 * batch of billions) is an error that says what it would need, not a process that is killed. Estimates are lower bounds, so that
 * nothing is refused that could run.
 */
import { totalmem } from 'node:os';
import { ArgumentError, sizeOf, treePaths } from '@meanflow/core';
import { problemAt, type FieldPath, type ValueSource } from '@meanflow/core/validation';
import type { AnyNetwork, ParameterSpec } from '@meanflow/models';
import { averagesOf } from '../config/optimizer-schema.js';
import type { RunConfig } from '../config/schema.js';
import { bytesText, countText } from '../report/numbers.js';

/** Sets the limit, in gigabytes, where the machine's memory is not it. */
export const MEMORY_VARIABLE = 'MEANFLOW_MEMORY';

const FLOAT = 4;
const GIGABYTE = 1e9;
/** Moments of an optimizer, as copies of the parameters. */
const MOMENTS = 2;

/**
 * Bytes that may be taken: what `MEANFLOW_MEMORY` says, or what the machine has.
 *
 * @throws {ArgumentError} when it says no number
 */
function memoryLimit(): { readonly bytes: number; readonly source: string } {
  const set = process.env[MEMORY_VARIABLE];
  if (set === undefined || set === '') {
    const constrained = process.constrainedMemory();
    const bytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
    return { bytes, source: `this machine has ${bytesText(bytes)}` };
  }
  const gigabytes = Number(set);
  if (!(gigabytes > 0))
    throw new ArgumentError(`${MEMORY_VARIABLE} is a number of gigabytes, got ${JSON.stringify(set)}.`);
  return {
    bytes: gigabytes * GIGABYTE,
    source: `${MEMORY_VARIABLE} allows ${bytesText(gigabytes * GIGABYTE)}`,
  };
}

/** @throws {ArgumentError} when more than the limit is needed @param what begins the sentence */
function checkMemory(bytes: number, what: string, advice: string): void {
  const limit = memoryLimit();
  if (bytes <= limit.bytes) return;
  throw new ArgumentError(
    `${what} at least ${bytesText(bytes)} of memory, and ${limit.source}. ${advice}, or set ${MEMORY_VARIABLE} to the gigabytes that may ` +
      'be used.',
  );
}

/** The size of what a network computes for one row: a float for each output of each of its maps, at each place of a sample. */
function activationsPerRow({ config, specs }: AnyNetwork): number {
  const { featureShape } = config;
  const side = 'patchSize' in config && typeof config.patchSize === 'number' ? config.patchSize : undefined;
  const places =
    side === undefined ? 1 : Math.ceil(featureShape[0]! / side) * Math.ceil(featureShape[1]! / side);
  return treePaths<ParameterSpec>(specs).reduce(
    (total, { leaf: { shape } }) => (shape.length === 2 ? total + places * Math.min(...shape) : total),
    places * sizeOf(featureShape),
  );
}

/** Kinds of sizes that a network has, by how much they say. */
const widths = ['width', 'channels', 'classWidth', 'embedding'];

/**
 * @param source where the configuration was written, for messages
 * @throws {ArgumentError} when training would take more memory than there is, naming the field that it follows from
 */
export function checkTrainingMemory(
  config: RunConfig,
  network: AnyNetwork,
  source: string | ValueSource,
): void {
  const { backend, ema } = config;
  const batch = Math.ceil(config.batch / (config.accumulate ?? 1));
  const averages = averagesOf(ema).length;
  // Elsewhere gradients and activations lie on a device of its own; what a checkpoint holds passes through here.
  const isHere = /(cpu|wasm|node)$/.test(backend);
  const copies = 1 + MOMENTS + averages + (isHere ? 1 : 0);
  const state = FLOAT * copies * network.parameterCount;
  const rows = FLOAT * batch * (isHere ? activationsPerRow(network) : sizeOf(network.featureShape));
  const isBatch = rows > state;
  const size = widths.find((name) => name in config.network);
  const path: FieldPath = isBatch || size === undefined ? [isBatch ? 'batch' : 'network'] : ['network', size];
  const parameters = `${countText(network.parameterCount)} parameters in ${copies} copies (${bytesText(state)})`;
  checkMemory(
    state + rows,
    problemAt(
      source,
      path,
      `${parameters} and ${countText(batch)} rows in a batch (${bytesText(rows)}) need`,
    ),
    isBatch ? 'Make the batch smaller' : 'Make the network smaller',
  );
}

/**
 * @param name the option or field that says how many, such as `--count`
 * @param copies of them that are there at once
 * @throws {ArgumentError} when so many samples would take more memory than there is
 */
export function checkSampleMemory(
  count: number,
  featureShape: readonly number[],
  name: string,
  copies = 3,
): void {
  checkMemory(
    FLOAT * copies * count * sizeOf(featureShape),
    `${name}: ${countText(count)} samples of [${featureShape.join(', ')}] need`,
    'Ask for fewer',
  );
}
