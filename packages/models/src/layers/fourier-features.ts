/**
 * Fourier features of a point (Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
 * Domains", NeurIPS 2020): beside the coordinates stand sines and cosines of each, at frequencies that double. A perceptron
 * learns what is smooth in its inputs first; with these, an edge is as soon learnt as a slope.
 */
import { concat, constant, cos, mul, reshape, sin, type Tensor } from '@meanflow/core';
import * as z from 'zod';

/** x itself, cos(2ⁱ s x) of each coordinate for i = 0 … frequencies − 1, then the sines of the same. */
export const fourierFeatures = z.strictObject({
  kind: z.literal('fourier'),
  frequencies: z.int().positive().max(16).describe('How many, for each coordinate.'),
  scale: z.number().positive().optional().describe('s: the lowest frequency, in radians; 1 by default.'),
});
export type FourierFeatures = z.infer<typeof fourierFeatures>;

/** Number of features of a point of so many coordinates; without `features`, its coordinates. */
export function featuresWidth(features: FourierFeatures | undefined, coordinates: number): number {
  return features === undefined ? coordinates : coordinates * (1 + 2 * features.frequencies);
}

/**
 * The features of each point; without `features`, the point.
 *
 * @param x float32 `[batch, coordinates]`
 * @returns float32 `[batch, featuresWidth(features, coordinates)]`: the coordinates, the cosines (those of a coordinate side by
 *   side, from the lowest frequency), the sines
 */
export function embedPoint(features: FourierFeatures | undefined, x: Tensor): Tensor {
  if (features === undefined) return x;
  const { frequencies, scale = 1 } = features;
  const [batch, coordinates] = [x.shape[0]!, x.shape[1]!];
  const angular = Array.from({ length: frequencies }, (_, i) => scale * 2 ** i);
  const angles = reshape(mul(reshape(x, [batch, coordinates, 1]), constant([[angular]])), [
    batch,
    coordinates * frequencies,
  ]);
  return concat([x, cos(angles), sin(angles)], 1);
}
