/** A network from its configuration: what a checkpoint or a configuration file names. */
import type { ParameterTree } from '@meanflow/samplers';
import { mlp, type MlpConfig } from './mlp.js';
import type { ConfiguredNetwork } from './network.js';
import { residualMlp, type ResidualMlpConfig } from './residual-mlp.js';

/** The configuration of any network of this package, as plain JSON. */
export type NetworkConfig = MlpConfig | ResidualMlpConfig;

/** Any network of this package. */
export type AnyNetwork = ConfiguredNetwork<ParameterTree, NetworkConfig>;

/** @throws {ArgumentError} when a field of `config` is out of range */
export function createNetwork(config: NetworkConfig): AnyNetwork {
  const network = config.kind === 'mlp' ? mlp(config) : residualMlp(config);
  // The parameters that it makes are the ones that it takes; which ones they are is forgotten here.
  return network as unknown as AnyNetwork;
}
