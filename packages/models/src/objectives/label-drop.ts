/**
 * Label drop: for some rows the network is shown the null class instead of the label, so that it learns the
 * unconditional velocity beside the conditional one. Drawing uniforms and the map from them to rows are
 * separate.
 */
import { ArgumentError, HostArray, where, type Tensor, checkChoice, checkOptions } from '@meanflow/core';

/** Plain JSON. */
export interface LabelDrop {
  /** In [0, 1]; 0.1 as published. */
  readonly probability: number;
  /**
   * `first`: the number of rows is binomial and they are the first ones, as in the reference code of
   * MeanFlow, where those have r = t. `any` (default): each row for itself.
   */
  readonly rows?: 'first' | 'any';
}

/** @throws {ArgumentError} when the probability is not one */
export function checkLabelDrop(labelDrop: LabelDrop): void {
  checkOptions<LabelDrop>('labelDrop', labelDrop, { probability: true, rows: true });
  const { probability, rows = 'any' } = labelDrop;
  checkChoice('labelDrop.rows', rows, ['first', 'any']);
  if (!(probability >= 0 && probability <= 1)) {
    throw new ArgumentError(`labelDrop.probability is from 0 to 1, got ${probability}.`);
  }
}

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
