/**
 * The U-Net of the `unet-*` cases, from the configuration in a case's JSON (the fields of the published code), with the
 * parameters of the file that the case names. Cases write parameters' names without the `net.` of checkpoints.
 */
import { DataError } from '@meanflow/core';
import type { SongUNetConfig } from '@meanflow/models';
import { publishedParameters, type PublishedParameter } from '@meanflow/models/published';
import { at, numberOf, numberOr, numbersOf, type ParityCase } from './parity-case.js';
import { publishedNetwork, type PublishedNetwork } from './published-network.js';

const PREFIX = 'net.';

/** The configuration. @throws {DataError} when a field is not what it should be, or asks for another network */
export function unetConfig(given: ParityCase): SongUNetConfig {
  const size = numberOf(given, 'config', 'img_resolution');
  const channels = numberOf(given, 'config', 'in_channels');
  const augmentWidth = numberOr(given, 0, 'config', 'augment_dim');
  demand(given, 'out_channels', channels);
  demand(given, 'label_dim', 0);
  demand(given, 'embedding_type', 'positional');
  demand(given, 'encoder_type', 'standard');
  demand(given, 'decoder_type', 'standard');
  const filter = at(given.facts, ['config', 'resample_filter']);
  return {
    kind: 'song-unet',
    featureShape: [channels, size, size],
    channels: numberOf(given, 'config', 'model_channels'),
    channelMultipliers: numbersOf(given, 'config', 'channel_mult'),
    blocks: numberOf(given, 'config', 'num_blocks'),
    attentionResolutions: numbersOf(given, 'config', 'attn_resolutions'),
    timeMultiplier: numberOr(given, 2, 'config', 'channel_mult_noise'),
    conditionMultiplier: numberOr(given, 4, 'config', 'channel_mult_emb'),
    ...(augmentWidth > 0 ? { augmentWidth } : {}),
    ...(filter === undefined ? {} : { resampleFilter: numbersOf(given, 'config', 'resample_filter') }),
  };
}

/** The one value that a field may have; absent is that value. */
function demand({ name, facts }: ParityCase, field: string, value: number | string): void {
  const found = at(facts, ['config', field]);
  if (found !== undefined && found !== value) {
    throw new DataError(
      `${name}.json: "config.${field}" is ${JSON.stringify(found)}; the U-Net here is that of ${JSON.stringify(value)}.`,
    );
  }
}

/** The U-Net with its parameters, under the names that cases write. */
export function unetOfCase(given: ParityCase): PublishedNetwork {
  const named = (file: string) =>
    Object.fromEntries(
      Object.entries(given.neighbour(file)).map(([name, array]) => [
        `${PREFIX}${withoutPrefix(name)}`,
        array,
      ]),
    );
  const found = publishedNetwork({ ...given, neighbour: named }, unetConfig(given), 'torch');
  return { ...found, names: found.names.map(unprefixed) };
}

/** Its parameters' names and shapes as cases write them. */
export function unetNames(config: SongUNetConfig): readonly PublishedParameter[] {
  return publishedParameters(config, 'torch').map(unprefixed);
}

/** Without the prefix of checkpoints. */
export function withoutPrefix(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

function unprefixed(parameter: PublishedParameter): PublishedParameter {
  return { ...parameter, name: withoutPrefix(parameter.name) };
}
