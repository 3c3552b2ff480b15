/**
 * Where a run begins that does not begin at random: with the parameters of another run or of an imported model. Their network is the
 * new run's too, and so are their data, unless others are asked for.
 */
import { createHash } from 'node:crypto';
import { isModelFile, openModel } from '@meanflow/checkpoints/node';
import { ArgumentError, treePaths, type HostArray, type Tree } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import type { AnyNetworkConfig, GivenParameters } from '@meanflow/models';
import type { ParameterTree } from '@meanflow/samplers';
import type { JsonRecord } from '../config/merge.js';
import type { Init, RunConfig } from '../config/schema.js';
import { checkPlugins } from '../plugins/recorded.js';
import { located, withPlacesOfRun } from './data-place.js';
import { loadModel } from './load-model.js';
import { checkFiniteParameters } from './model.js';

/** Parameters to begin with, and where they come from. */
export interface WarmStart extends GivenParameters {
  readonly config: AnyNetworkConfig;
  /** What the run records of it. */
  readonly init: Init;
  /** What they are, for people. */
  readonly origin: string;
  /** The run that they were trained in, if they were trained here. */
  readonly run?: RunConfig;
}

/**
 * @param notify told, in a sentence, of what a user should know of a checkpoint
 * @throws {DataError} when it is missing, damaged, or not finite
 * @throws {ArgumentError} when there is no such average
 */
export async function openWarmStart(
  { path, average }: Init,
  notify?: (sentence: string) => void,
): Promise<WarmStart> {
  if (await isModelFile(path)) {
    if (average !== undefined && average !== null) {
      throw new ArgumentError(
        `init.average: "${path}" is an imported model, which has one set of parameters.`,
      );
    }
    const { facts, network, params } = await openModel(path);
    return opened({ path }, params, { config: network.config, origin: facts.name ?? network.config.kind });
  }
  const wanted = average === undefined ? undefined : average === null ? 'none' : String(average);
  const { model } = await loadModel(path, { average: wanted, notify });
  const { network, data, params, config, origin } = model;
  const init = { path, average: average === undefined ? config.sampling.ema : average };
  const { classNames } = data;
  return opened(init, params, { config: network.config, origin, run: config, classNames });
}

function opened(init: Init, params: ParameterTree, rest: Omit<WarmStart, 'init' | 'params'>): WarmStart {
  checkFiniteParameters(params, `"${init.path}"`);
  return { ...rest, params, init: { ...init, digest: digestOfParameters(params) } };
}

/** SHA-256 of every parameter's path, shape and bytes. */
function digestOfParameters(params: ParameterTree): string {
  const hash = createHash('sha256');
  for (const { path, leaf } of treePaths<HostArray>(params as Tree<HostArray>)) {
    const { buffer, byteOffset, byteLength } = leaf.data;
    hash
      .update(`${path} ${leaf.dtype}[${leaf.shape.join()}]\n`)
      .update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** What a run that begins so has of the model, where `changes` say nothing else. */
export async function inheritedSettings(
  { init, config, run }: WarmStart,
  changes: JsonRecord,
): Promise<JsonRecord> {
  const { featureShape: _, classCount: __, conditions: ___, ...network } = config;
  if (run === undefined || changes.data !== undefined) return { network };
  checkPlugins(run, quoted(init.path), ['datasets']);
  const { data } = await located(await withPlacesOfRun(run, init.path), init.path);
  const { label, table, images, latents, task, conditional, heldOut, splitSeed } = run;
  return { network, data, label, table, images, latents, task, conditional, heldOut, splitSeed };
}
