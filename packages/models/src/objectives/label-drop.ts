/**
 * Label drop: for some rows the network is shown the null class instead of the label, so that it learns the
 * unconditional velocity beside the conditional one. Drawing uniforms and the map from them to rows are
 * separate.
 */
import { HostArray, where, type Tensor } from '@meanflow/core';
import * as z from 'zod';
import { share } from '../schema.js';

/** Plain JSON. */
export const labelDrop = z.strictObject({
  probability: share.describe('0.1 as published.'),
  rows: z
    .enum(['first', 'any'])
    .optional()
    .describe(
      'first: the number of rows is binomial and they are the first ones, as in the reference code of MeanFlow, where those have r = t. any (default): each row for itself.',
    ),
});
export type LabelDrop = z.infer<typeof labelDrop>;

/** The rows that uniforms on [0, 1) stand for, bool `[batch]`. */
export function droppedFromRaw(
  { probability, rows = 'any' }: LabelDrop,
  uniforms: HostArray,
): HostArray<'bool'> {
  const hits = Uint8Array.from(uniforms.data, (u) => Number(u < probability));
  if (rows === 'any') return new HostArray('bool', uniforms.shape, hits);
  const count = hits.reduce((total, hit) => total + hit, 0);
  return new HostArray('bool', uniforms.shape, new Uint8Array(hits.length).fill(1, 0, count));
}

/** Labels with the null class on the dropped rows; int32 `[batch]`. */
export function dropLabels(label: Tensor, dropped: Tensor | undefined, nullClass: number): Tensor {
  return dropped === undefined ? label : where(dropped, nullClass, label);
}
