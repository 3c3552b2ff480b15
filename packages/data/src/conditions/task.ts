/** What is asked of data beside drawing more of it: some of it is given, and the rest is drawn for it. */
import { checkChoice } from '@meanflow/core/validation';
import { type Dataset } from '../dataset.js';
import { givenColumns } from './given-columns.js';
import { inpainting, superResolution } from './image-tasks.js';
import { type MaskKind } from './masks.js';

/** A task, as plain JSON. */
export type DataTask =
  /** Columns of a table, by name, for which the others are drawn. */
  | { readonly kind: 'given'; readonly columns: readonly string[] }
  /** Images are completed from what is not hidden by a rectangle (default) or by strokes. */
  | { readonly kind: 'inpaint'; readonly mask?: MaskKind | undefined }
  /** Images are drawn from ones that are smaller by a factor, 2 by default. */
  | { readonly kind: 'super-resolution'; readonly factor?: number | undefined };

/**
 * The data with the conditions of a task.
 *
 * @throws {ArgumentError} when the task does not fit the data, or there is none of its kind
 */
export function withTask(dataset: Dataset, task: DataTask): Dataset {
  checkChoice('task', task.kind, ['given', 'inpaint', 'super-resolution']);
  switch (task.kind) {
    case 'given':
      return givenColumns(dataset, task.columns);
    case 'inpaint':
      return inpainting(dataset, task.mask);
    case 'super-resolution':
      return superResolution(dataset, task.factor);
  }
}
