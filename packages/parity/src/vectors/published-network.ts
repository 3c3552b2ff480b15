/** A case's network: made from the configuration in the case, with the parameters of the file that the case names. */
import { DataError, ShapeError, treeFlatten, type HostArray } from '@meanflow/core';
import {
  createNetwork,
  type AnyNetwork,
  type NetworkConfig,
  type ParameterSpec,
  type ParameterTree,
} from '@meanflow/models';
import {
  arrangePublished,
  publishedParameters,
  type PublishedParameter,
  type PublishedSource,
} from '@meanflow/models/published';
import { at, type ParityCase } from './parity-case.js';

/** A network with published parameters. */
export interface PublishedNetwork {
  readonly network: AnyNetwork;
  /** The tree that the network takes. */
  readonly params: ParameterTree;
  /** Each parameter under its published name. */
  readonly names: readonly PublishedParameter[];
}

/**
 * @param config of the form (for training, for sampling) that is wanted; the file may hold more
 * @throws {DataError} when the file lacks a parameter or holds one of another shape
 */
export function publishedNetwork(
  given: ParityCase,
  config: NetworkConfig,
  source: PublishedSource = 'jax',
): PublishedNetwork {
  const file = parameterFile(given);
  const arrays = given.neighbour(file);
  const names = publishedParameters(config, source);
  const network = createNetwork(config);
  // Names are in the order of the tree's leaves.
  const { structure } = treeFlatten<ParameterSpec>(network.specs);
  const params = structure.unflatten(names.map((parameter) => readParameter(file, parameter, arrays)));
  return { network, params: params as ParameterTree, names };
}

/** The file of the shared parameters: `<prefix>-params` unless the case names another. */
function parameterFile({ name, facts }: ParityCase): string {
  const stated = at(facts, ['params']);
  const found = typeof stated === 'string' ? /([\w.-]+)\.safetensors/.exec(stated) : null;
  return found?.[1] ?? `${name.split('-')[0]}-params`;
}

function readParameter(
  file: string,
  parameter: PublishedParameter,
  arrays: Readonly<Record<string, HostArray>>,
): HostArray {
  const array = arrays[parameter.name];
  if (array === undefined) throw new DataError(`${file}.safetensors lacks "${parameter.name}".`);
  try {
    return arrangePublished(parameter, array);
  } catch (error) {
    if (error instanceof ShapeError) throw new DataError(`${file}.safetensors: ${error.message}`);
    throw error;
  }
}
