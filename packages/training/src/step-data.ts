/**
 * What a step is made on, taken from where it comes from: copied, so that it may be changed there for the next step, and
 * checked where a device would not notice that it is wrong.
 */
import { ArgumentError, treeMap, type ConditionArrays, type HostArray, type Tree } from '@meanflow/core';
import { checkConditions, checkLabels, toHostArray } from '@meanflow/core/validation';
import type { VelocityNetwork } from '@meanflow/samplers';

/** A copy of every array of a tree. */
export function takeTree(tree: Tree<HostArray>): Tree<HostArray> {
  // What is no array is named, with its path, when the step is traced.
  return treeMap((leaf: HostArray) => toHostArray(leaf)?.clone() ?? leaf, tree);
}

/** The part of a velocity network that data must fit; other networks have none. */
export type DataNeeds = Partial<Pick<VelocityNetwork, 'classCount' | 'conditions'>>;

/**
 * @throws {ArgumentError} when the network has classes and a label is none of them, or there are no labels
 * @throws {ShapeError | DTypeError} when labels are not int32, one for each row
 */
export function checkBatchLabels(
  { classCount }: DataNeeds,
  batch: Tree<HostArray>,
  step: number,
  rows: number,
): void {
  if (classCount === undefined) return;
  const { label } = (batch ?? {}) as { readonly label?: HostArray };
  if (label === undefined) {
    throw new ArgumentError(
      `The network has ${classCount} classes, but the batch of step ${step + 1} has no "label" ` +
        `(it has: ${Object.keys(batch ?? {}).join(', ') || 'nothing'}). Give one for each row, or make the network without classCount.`,
    );
  }
  checkLabels(`The batch of step ${step + 1}: label`, label, { classCount, rows });
}

/**
 * @throws {ArgumentError} when the network declares conditions and the batch lacks one that is not optional, or has one that is
 *   unknown or not finite
 * @throws {ShapeError | DTypeError} when one is not float32 `[rows, ...shape]`
 */
export function checkBatchConditions(
  { conditions: specs }: DataNeeds,
  batch: Tree<HostArray>,
  step: number,
  rows: number,
): void {
  if (specs === undefined) return;
  const { conditions, present } = (batch ?? {}) as ConditionArrays;
  checkConditions(`The batch of step ${step + 1}`, { conditions, present }, specs, rows);
}
