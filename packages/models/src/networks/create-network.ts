/** A network from its configuration: what a checkpoint or a configuration file names. */
import { ArgumentError, describeValue, didYouMean } from '@meanflow/core';
import type { ParameterTree } from '@meanflow/samplers';
import { dit, type DitConfig } from './dit.js';
import { imfDit, type ImfDitConfig } from './imf-dit.js';
import { mlp, type MlpConfig } from './mlp.js';
import type { ConfiguredNetwork } from './network.js';
import { pmfDit, type PmfDitConfig } from './pmf-dit.js';
import { residualMlp, type ResidualMlpConfig } from './residual-mlp.js';
import type { SongUNetConfig } from './song-unet-plan.js';
import { songUNet } from './song-unet.js';

/** The configuration of any network of this package, as plain JSON. */
export type NetworkConfig =
  MlpConfig | ResidualMlpConfig | DitConfig | ImfDitConfig | PmfDitConfig | SongUNetConfig;

/** Any network of this package. */
export type AnyNetwork = ConfiguredNetwork<ParameterTree, NetworkConfig>;

const kinds = ['mlp', 'residual-mlp', 'dit', 'imf-dit', 'pmf-dit', 'song-unet'] as const;

/** @throws {ArgumentError} when a field of `config` is out of range, or its kind is unknown */
export function createNetwork(config: NetworkConfig): AnyNetwork {
  // The parameters that a network makes are the ones that it takes; which ones they are is forgotten here.
  return networkOf(config) as unknown as AnyNetwork;
}

function networkOf(config: NetworkConfig) {
  switch (config.kind) {
    case 'mlp':
      return mlp(config);
    case 'residual-mlp':
      return residualMlp(config);
    case 'dit':
      return dit(config);
    case 'imf-dit':
      return imfDit(config);
    case 'pmf-dit':
      return pmfDit(config);
    case 'song-unet':
      return songUNet(config);
    default:
      throw new ArgumentError(
        `There is no network of kind ${describeValue((config as { kind?: unknown }).kind)}; the kinds are ${kinds.join(', ')}.` +
          didYouMean(String((config as { kind?: unknown }).kind), kinds),
      );
  }
}
