/**
 * The check of class labels, wherever they come from: a network looks a label up in a table, and one that is out of range
 * would be another class, or no class, without a word.
 */
import { describeValue } from './describe-value.js';
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import { HostArray } from './host-array.js';
import { formatShape, sameShape } from './types.js';

/**
 * @param what which labels they are, such as `sample: label`
 * @param label to be int32 `[rows]`, each from 0 and below `classCount`
 * @throws {ArgumentError} naming the first label that is no class, and its row
 * @throws {ShapeError | DTypeError} when there is not one int32 for each row
 */
export function checkLabels(
  what: string,
  label: HostArray | undefined,
  { classCount, rows }: { readonly classCount: number; readonly rows: number },
): void {
  if (!(label instanceof HostArray) || label.dtype !== 'int32') {
    throw new DTypeError(
      `${what} is a HostArray int32[${rows}], a class for each row; got ${describeValue(label)}.`,
    );
  }
  if (!sameShape(label.shape, [rows])) {
    throw new ShapeError(`${what} must be [${rows}], one for each row, got ${formatShape(label.shape)}.`);
  }
  const row = label.data.findIndex((value: number) => !(value >= 0 && value < classCount));
  if (row === -1) return;
  throw new ArgumentError(
    `${what}: row ${row} has label ${label.data[row]}, but the network's ${classCount} classes are 0 to ${classCount - 1}; ` +
      'rows without a class are made without labels.',
  );
}
