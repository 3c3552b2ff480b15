/**
 * How often classes are: counting the rows of each, and labels that follow given frequencies, so that samples which are
 * judged have the classes as often as the data they are compared with.
 */
import { ArgumentError, HostArray } from '@meanflow/core';

/** Rows of each class, in order of class. */
export function countClasses(labels: ArrayLike<number>, classCount: number): readonly number[] {
  const counts = new Array<number>(classCount).fill(0);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  return counts;
}

/**
 * Labels whose frequencies follow the weights, mixed as evenly as can be: each next label is that of the class which is
 * furthest behind its share, which is the apportionment of Webster and Sainte-Laguë. Every beginning of the sequence
 * follows the weights too, `sum(weights)` labels follow them exactly, and equal weights give 0, 1, 2, …, 0, 1, 2, …
 *
 * @param weights how often each class is, in any unit; a class of weight 0 is never drawn
 * @returns int32 `[count]`
 * @throws {ArgumentError} when a weight is negative or not finite, or none is positive
 */
export function proportionalLabels(weights: readonly number[], count: number): HostArray<'int32'> {
  if (!weights.every((weight) => weight >= 0 && weight < Infinity) || !weights.some((weight) => weight > 0)) {
    throw new ArgumentError(
      `Labels follow finite weights from 0, one of them positive, got ${weights.join(', ')}.`,
    );
  }
  const drawn = weights.map((weight, label) => ({ label, weight, next: 0.5 / weight })).filter(isDrawn);
  const queue = drawn.sort(earlier);
  const labels = new Int32Array(count);
  const counts = new Float64Array(weights.length);
  for (let row = 0; row < count; row++) {
    const first = queue[0]!;
    labels[row] = first.label;
    first.next = (++counts[first.label]! + 0.5) / first.weight;
    sift(queue);
  }
  return new HostArray('int32', [count], labels);
}

interface Turn {
  readonly label: number;
  readonly weight: number;
  /** When the class is drawn next. */
  next: number;
}

const isDrawn = ({ weight }: Turn): boolean => weight > 0;
const earlier = (a: Turn, b: Turn): number => a.next - b.next || a.label - b.label;

/** Restores a heap whose first element has become later. */
function sift(heap: Turn[]): void {
  for (let at = 0; ;) {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    let least = at;
    if (left < heap.length && earlier(heap[left]!, heap[least]!) < 0) least = left;
    if (right < heap.length && earlier(heap[right]!, heap[least]!) < 0) least = right;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least]!, heap[at]!];
    at = least;
  }
}
