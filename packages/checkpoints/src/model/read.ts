/** Reading a model file: the network that it says it holds, and its parameters, float16 widened to float32. */
import { ArgumentError, DataError, type HostArray, sameShape, treeFlatten, type Tree } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation'; // prettier-ignore
import {
  type Catalogue,
  type RandomAccess,
  readSafetensors,
  readTensor,
  type StoredTensor,
} from '@meanflow/formats';
import {
  createNetwork,
  sdVaeDecoder,
  sdVaeEncoder,
  type AnyNetwork,
  type ParameterSpec,
  type ParameterTree,
} from '@meanflow/models';
import { parseModelMetadata, type ModelFacts } from './header.js';

/** A network with its parameters. */
export interface Model {
  readonly facts: ModelFacts;
  readonly network: AnyNetwork;
  readonly params: ParameterTree;
}

/** Half of an autoencoder with its parameters. */
export interface AutoencoderHalf<Network> {
  readonly facts: ModelFacts;
  readonly network: Network;
  readonly params: ParameterTree;
}

/** What a model file is, without its parameters. */
export interface ModelFile {
  readonly facts: ModelFacts;
  readonly catalogue: Catalogue;
}

/** @throws {DataError} when the file is damaged, or is no model file */
export async function readModelFile(access: RandomAccess): Promise<ModelFile> {
  const catalogue = await readSafetensors(access);
  return { facts: parseModelMetadata(catalogue), catalogue };
}

/** @throws {DataError} when the file is damaged, or holds something else than a network */
export async function readModel(access: RandomAccess): Promise<Model> {
  const { facts, catalogue } = await readModelFile(access);
  const { description } = facts;
  if (!('network' in description)) {
    throw new DataError(`${access.source} holds half of an autoencoder, not a network to sample from.`);
  }
  const network = checked(access, () => createNetwork(description.network));
  return { facts, network, params: await readParameters(catalogue, network.specs) };
}

/** A decoder of latents. @throws {DataError} when the file is damaged, or holds something else */
export async function readDecoder(
  access: RandomAccess,
): Promise<AutoencoderHalf<ReturnType<typeof sdVaeDecoder>>> {
  return readHalf(access, 'decoder', sdVaeDecoder);
}

/** An encoder to latents. @throws {DataError} when the file is damaged, or holds something else */
export async function readEncoder(
  access: RandomAccess,
): Promise<AutoencoderHalf<ReturnType<typeof sdVaeEncoder>>> {
  return readHalf(access, 'encoder', sdVaeEncoder);
}

async function readHalf<Network extends { readonly specs: Tree<ParameterSpec> }>(
  access: RandomAccess,
  half: 'encoder' | 'decoder',
  create: (config: Parameters<typeof sdVaeDecoder>[0]) => Network,
): Promise<AutoencoderHalf<Network>> {
  const { facts, catalogue } = await readModelFile(access);
  const { description } = facts;
  if (!('autoencoder' in description) || description.autoencoder.half !== half) {
    throw new DataError(`${access.source} does not hold the ${half} of an autoencoder.`);
  }
  const { half: _, ...config } = description.autoencoder;
  const network = checked(access, () => create(config));
  return { facts, network, params: await readParameters(catalogue, network.specs) };
}

/** What a configuration in a file is wrong about is the file's fault. */
function checked<T>({ source }: RandomAccess, create: () => T): T {
  try {
    return create();
  } catch (error) {
    if (error instanceof ArgumentError) throw new DataError(`${source}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function readParameters(
  { source, tensors }: Catalogue,
  specs: Tree<ParameterSpec>,
): Promise<ParameterTree> {
  const { leaves, structure } = treeFlatten<ParameterSpec>(specs);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const named = structure.paths.map((path, i): readonly [StoredTensor, ParameterSpec] => {
    const name = `params/${path}`;
    const tensor = byName.get(name);
    if (tensor === undefined) throw new DataError(`${source} lacks "${name}".`);
    byName.delete(name);
    if (!sameShape(tensor.shape, leaves[i]!.shape)) {
      throw new DataError(
        `${source}: "${name}" is ${formatShape(tensor.shape)}, expected ${formatShape(leaves[i]!.shape)}.`,
      );
    }
    return [tensor, leaves[i]!];
  });
  const [extra] = byName.keys();
  if (extra !== undefined)
    throw new DataError(`${source} holds "${extra}", which the network does not have.`);
  const arrays: HostArray<'float32'>[] = [];
  for (const [tensor] of named) arrays.push((await readTensor(tensor)).to('float32'));
  return structure.unflatten(arrays) as ParameterTree;
} // prettier-ignore
