/**
 * What a checkpoint can become: a network, by the name of a preset or by its configuration, or a half of the autoencoder of
 * Stable Diffusion; and under which names its parameters may have been published.
 */
import { ArgumentError } from '@meanflow/core';
import { didYouMean, validate } from '@meanflow/core/validation';
import {
  createNetwork,
  networkPresets,
  sdVaeDecoder,
  sdVaeEncoder,
  sdVaeSchema,
  type AnyNetworkConfig,
  type NetworkConfig,
  type SdVaeConfig,
} from '@meanflow/models';
import {
  publishedBuffers,
  publishedParameters,
  publishedSdVaeParameters,
  type PublishedBuffer,
  type PublishedParameter,
} from '@meanflow/models/published';
import * as z from 'zod';

/** A model, as plain JSON: what a model file says of itself. */
export type ModelDescription =
  | { readonly network: NetworkConfig }
  | { readonly autoencoder: { readonly half: 'encoder' | 'decoder' } & SdVaeConfig };

/** One way in which the parameters were published. */
export interface Naming {
  /** Whose, for messages. */
  readonly source: string;
  readonly parameters: readonly PublishedParameter[];
}

export interface ImportTarget {
  /** Name of the preset, if it is one. */
  readonly name: string | undefined;
  readonly description: ModelDescription;
  /** Number of scalars in its parameters. */
  readonly parameterCount: number;
  readonly namings: readonly Naming[];
  /** Constants that published code keeps beside its parameters. */
  readonly buffers: readonly PublishedBuffer[];
}

const halfSchema = sdVaeSchema.extend({ half: z.enum(['encoder', 'decoder']) });

const autoencoders = {
  'sd-vae': 'decoder',
  'sd-vae-decoder': 'decoder',
  'sd-vae-encoder': 'encoder',
} as const;

/** What `importTarget` takes: a name, the configuration of a network, or that of half an autoencoder. */
export type ImportModel =
  string | NetworkConfig | Extract<ModelDescription, { readonly autoencoder: object }>;

/** Small DiTs, which have no classes of their own, are this project's. */
function isPublished({ kind, classCount }: AnyNetworkConfig): boolean {
  return classCount !== undefined || kind !== 'dit';
}

/** Names that `importTarget` takes. */
export const importTargetNames: readonly string[] = [
  ...Object.keys(networkPresets).filter((name) => isPublished(networkPresets[name]!)),
  'sd-vae-decoder',
  'sd-vae-encoder',
];

/**
 * A target by its name or its configuration; `sd-vae` is the decoder, which sampling needs.
 *
 * @throws {ArgumentError} when there is no such name, a configuration is wrong, or nobody published networks of this configuration
 */
export function importTarget(model: ImportModel): ImportTarget {
  if (typeof model !== 'string') {
    if (!('autoencoder' in model)) return networkTarget(model, undefined);
    const { half, ...config } = validate(halfSchema, model.autoencoder, 'The autoencoder');
    return autoencoderTarget(undefined, half, config);
  }
  if (Object.hasOwn(autoencoders, model)) {
    const half = autoencoders[model as keyof typeof autoencoders];
    return autoencoderTarget(`sd-vae-${half}`, half, {});
  }
  if (!importTargetNames.includes(model)) {
    const hint = didYouMean(model, importTargetNames);
    throw new ArgumentError(
      `There is no published model "${model}".${hint} Known are ${importTargetNames.join(', ')}.`,
    );
  }
  const known = targets.get(model) ?? networkTarget(networkPresets[model]!, model);
  targets.set(model, known);
  return known;
}

/** Those that were asked for before: to find out what a checkpoint is, all are. */
const targets = new Map<string, ImportTarget>();

function networkTarget(network: NetworkConfig, name: string | undefined): ImportTarget {
  const { parameterCount } = createNetwork(network);
  const namings = namingsOf(network);
  if (namings.length === 0) throw new ArgumentError(`Nobody published networks of kind "${network.kind}".`);
  return {
    name,
    description: { network },
    parameterCount,
    namings,
    buffers: publishedBuffers(network),
  };
}

function autoencoderTarget(
  name: string | undefined,
  half: 'encoder' | 'decoder',
  config: SdVaeConfig,
): ImportTarget {
  const network = half === 'decoder' ? sdVaeDecoder(config) : sdVaeEncoder(config);
  return {
    name,
    description: { autoencoder: { half, ...network.config } },
    parameterCount: network.parameterCount,
    namings: (['to_q', 'query', 'compvis'] as const).map((naming) => ({
      source: naming === 'compvis' ? 'CompVis' : 'diffusers',
      parameters: publishedSdVaeParameters(half, network, naming),
    })),
    buffers: [],
  };
}

/** The code bases that published networks of a configuration; none is no error here. */
function namingsOf(network: NetworkConfig): Naming[] {
  return (['jax', 'torch'] as const).flatMap((source) => {
    try {
      return [{ source, parameters: publishedParameters(network, source) }];
    } catch (error) {
      if (error instanceof ArgumentError) return [];
      throw error;
    }
  });
}
