/**
 * The inception score exp(E KL(p(y|x) ‖ p(y))) (Salimans et al., "Improved Techniques for Training GANs", 2016), of whatever
 * classifier's logits it is given: high when each sample has one class and all classes occur. Computed in parts, whose mean
 * and standard deviation are reported.
 */
import { ArgumentError, ShapeError, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';

/** Over the parts. */
export interface InceptionScore {
  readonly mean: number;
  /** Standard deviation, dividing by the number of parts. */
  readonly std: number;
}

/**
 * The inception score, in float64.
 *
 * @param logits `[rows, classes]`
 * @param options.splits number of parts of ⌊rows / splits⌋ rows each; 10 as published
 * @param options.order int32 `[rows]`: a permutation of the rows, taken before they are parted; none by default
 * @throws {ShapeError} when logits are not a matrix with a row for each part
 * @throws {ArgumentError} when `splits` is not a positive whole number, or `order` not of the rows
 */
export function inceptionScore(
  logits: HostArray,
  options: { readonly splits?: number; readonly order?: HostArray } = {},
): InceptionScore {
  const { splits = 10, order } = options;
  const [rows = 0, classes = 0] = logits.shape;
  if (!Number.isSafeInteger(splits) || splits < 1) {
    throw new ArgumentError(`splits is a positive whole number, got ${splits}.`);
  }
  if (logits.shape.length !== 2 || rows < splits) {
    throw new ShapeError(
      `logits must be [rows, classes] with at least ${splits} rows, got ${formatShape(logits.shape)}.`,
    );
  }
  if (order !== undefined && order.size !== rows) {
    throw new ArgumentError(`order holds one index for each of ${rows} rows, got ${order.size}.`);
  }
  const perPart = Math.floor(rows / splits);
  const scores = Array.from({ length: splits }, (_, part) => {
    const chosen = Array.from({ length: perPart }, (_, i) => {
      const at = part * perPart + i;
      const row = order === undefined ? at : order.data[at]!;
      return softmax(Array.from(logits.data.subarray(row * classes, (row + 1) * classes)));
    });
    return scoreOf(chosen);
  });
  const mean = average(scores);
  return { mean, std: Math.sqrt(average(scores.map((score) => (score - mean) ** 2))) };
}

/** What keeps the logarithm finite, as published. */
const FLOOR = 1e-10;

function scoreOf(rows: readonly (readonly number[])[]): number {
  const marginal = rows[0]!.map((_, k) => average(rows.map((row) => row[k]!)));
  const divergences = rows.map((row) =>
    row.reduce((sum, p, k) => sum + p * (Math.log(p + FLOOR) - Math.log(marginal[k]! + FLOOR)), 0),
  );
  return Math.exp(average(divergences));
}

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const exponentials = logits.map((x) => Math.exp(x - largest));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / total);
}

function average(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
