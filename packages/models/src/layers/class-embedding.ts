/**
 * The class embedding: a learned row for each class, and one more, the last, for no class (the null class).
 */
import { full, gather, type Symbolic, type Tensor } from '@meanflow/core';
import { normalWith, ParameterSpec, type Described, type Parameter } from './parameters.js';

export type ClassEmbeddingParameters = {
  /** `[classCount + 1, width]` */
  readonly table: Parameter;
};

/** A row of `width` numbers for each class and for none, normal with that deviation. */
export function classEmbeddingParameters(
  classCount: number,
  width: number,
  standardDeviation: number,
): Described<ClassEmbeddingParameters> {
  return { table: new ParameterSpec([classCount + 1, width], normalWith(standardDeviation)) };
}

/**
 * The row of each label.
 *
 * @param label int32 `[batch]`; the null class for every row by default
 * @returns float32 `[batch, width]`
 */
export function embedClass(
  { table }: Symbolic<ClassEmbeddingParameters>,
  label: Tensor | undefined,
  batch: number,
): Tensor {
  return gather(table, label ?? full([batch], table.shape[0]! - 1, 'int32'));
}
