/** Draws for networks with dropout: an objective knows nothing of the network that it is for until the loss is traced. */
import type { VelocityNetwork } from '@meanflow/samplers';
import type { VelocityObjective } from './velocity-objective.js';

/**
 * The objective with the draws that the network's dropout needs, if it has any: what training uses. The objective itself
 * drops nothing, whatever the network.
 */
export function withDropout<Config>(
  objective: VelocityObjective<Config>,
  { drawDropout }: Pick<VelocityNetwork, 'drawDropout'>,
): VelocityObjective<Config> {
  if (drawDropout === undefined) return objective;
  return {
    ...objective,
    draw: (key, batch) => ({
      ...objective.draw(key, batch),
      dropout: drawDropout(key.fold('dropout'), batch.x.shape[0]),
    }),
  };
}
