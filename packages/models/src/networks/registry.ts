/** The networks by kind, and a network from its configuration: what a checkpoint or a configuration file names. */
import { Registry, validate } from '@meanflow/core';
import * as z from 'zod';
import { ditEntry, type DitConfig } from './dit.js';
import { imfDitEntry, type ImfDitConfig } from './imf-dit.js';
import { mlpEntry, type MlpConfig } from './mlp.js';
import type { AnyNetwork, AnyNetworkConfig, NetworkEntry } from './network.js';
import { pmfDitEntry, type PmfDitConfig } from './pmf-dit.js';
import { residualMlpEntry, type ResidualMlpConfig } from './residual-mlp.js';
import type { SongUNetConfig } from './song-unet-plan.js';
import { songUNetEntry } from './song-unet.js';

/** The configuration of any network, as plain JSON: of this package, or of another that is registered. */
export type NetworkConfig =
  MlpConfig | ResidualMlpConfig | DitConfig | ImfDitConfig | PmfDitConfig | SongUNetConfig | AnyNetworkConfig;

/** Networks by kind; others can be registered. */
export const networks = new Registry<NetworkEntry>('network of kind', [
  mlpEntry,
  residualMlpEntry,
  ditEntry,
  imfDitEntry,
  pmfDitEntry,
  songUNetEntry,
]);

const named = z.looseObject({ kind: z.string() });

/** @throws {ArgumentError} when a field of `config` is out of range, or its kind is unknown */
export function createNetwork(config: NetworkConfig): AnyNetwork {
  return networks.get(validate(named, config, 'A network').kind).create(config);
}

/**
 * The schema of settings of any kind that is registered now: a configuration without what the data decide. What is not said stays
 * unsaid, so that a record of it is what was asked for.
 */
export function networkSettingsSchema() {
  const [first, ...others] = [...networks].map(({ settings }) => asGiven(settings));
  return z.discriminatedUnion('kind', [first, ...others]);
}
export type NetworkSettings = z.infer<ReturnType<typeof asGiven>>;

/** Without defaults. */
function asGiven(settings: z.ZodObject) {
  const { kind, ...fields } = settings.shape;
  const unfilled = Object.entries(fields).map(([name, field]) => [
    name,
    field instanceof z.ZodDefault ? z.optional(field.unwrap()) : field,
  ]);
  return z.strictObject({ kind: kind as z.ZodLiteral<string>, ...Object.fromEntries(unfilled) });
}
