/** The networks by kind, and a network from its configuration: what a checkpoint or a configuration file names. */
import { Registry, validate } from '@meanflow/core/validation';
import type * as z from 'zod';
import { kindSchema, settingsSchema } from '../schema.js';
import { ditEntry, type DitConfig } from './dit.js';
import { imfDitEntry, type ImfDitConfig } from './imf-dit.js';
import { mlpEntry, type MlpConfig } from './mlp.js';
import { completeNetwork, type NetworkDefinition, type NetworkEntry } from './definition.js';
import type { AnyNetwork, AnyNetworkConfig } from './network.js';
import { pmfDitEntry, type PmfDitConfig } from './pmf-dit.js';
import { residualMlpEntry, type ResidualMlpConfig } from './residual-mlp.js';
import type { SongUNetConfig } from './song-unet-plan.js';
import { songUNetEntry } from './song-unet.js';
import { unetEntry, type UNetConfig } from './unet.js';

/** The configuration of any network, as plain JSON: of this package, or of another that is registered. */
export type NetworkConfig =
  | MlpConfig
  | ResidualMlpConfig
  | DitConfig
  | UNetConfig
  | ImfDitConfig
  | PmfDitConfig
  | SongUNetConfig
  | AnyNetworkConfig;

/** Networks by kind; others can be registered. */
export const networks = new Registry<NetworkDefinition, NetworkEntry>(
  'network of kind',
  [mlpEntry, residualMlpEntry, ditEntry, unetEntry, imfDitEntry, pmfDitEntry, songUNetEntry],
  { complete: completeNetwork },
);

/** @throws {ArgumentError} when a field of `config` is out of range, or its kind is unknown */
export function createNetwork(config: NetworkConfig): AnyNetwork {
  return networks.get(validate(kindSchema, config, 'A network').kind).create(config);
}

/** The schema of settings of any kind that is registered now: a configuration without what the data decide. */
export function networkSettingsSchema() {
  return settingsSchema([...networks].map(({ settings }) => settings));
}
export type NetworkSettings = z.infer<ReturnType<typeof networkSettingsSchema>>;
