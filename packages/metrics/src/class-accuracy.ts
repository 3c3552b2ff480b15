/**
 * Whether class-conditional samples show the class that they were asked for, as a classifier sees it: its accuracy on
 * them ("classification accuracy score" in the sense of samples that are judged, not learnt from), and the Fréchet
 * distance class by class ("intra-FID": Miyato and Koyama, "cGANs with projection discriminator", 2018), which also sees
 * classes that are mixed up or lack variety.
 */
import { ArgumentError, type HostArray, ShapeError } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { frechetDistance } from './frechet.js';

/**
 * The share of rows whose largest logit is at their label.
 *
 * @param logits `[rows, classes]`, float
 * @param labels int32 `[rows]`, from 0 to classes − 1
 * @throws {ShapeError} when there is no row, or not one label for each
 * @throws {ArgumentError} when a label is none of the classes
 */
export function classAccuracy(logits: HostArray, labels: HostArray<'int32'>): number {
  const [rows = 0, classes = 0] = logits.shape;
  if (logits.shape.length !== 2 || rows < 1 || classes < 1) {
    throw new ShapeError(
      `Logits are [rows, classes] with at least one of each, got ${formatShape(logits.shape)}.`,
    );
  }
  checkLabels(labels, rows);
  const beyond = labels.data.find((label) => label < 0 || label >= classes);
  if (beyond !== undefined) {
    throw new ArgumentError(
      `Labels run from 0 to ${classes - 1}, the classes of the logits; found ${beyond}.`,
    );
  }
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const scores = logits.data.subarray(row * classes, (row + 1) * classes);
    const score = scores[labels.data[row]!]!;
    // Not a number is no answer; of equal scores the first one counts, as in argMax.
    const isBeaten = scores.some((other, i) => !(i < labels.data[row]! ? other < score : other <= score));
    if (!isBeaten) right++;
  }
  return right / rows;
}

/**
 * The mean over classes of the Fréchet distance between the samples and the reference of the class.
 *
 * @param samples `[rows, ...features]`, float
 * @param sampleLabels int32 `[rows]`: the class that each was asked for
 * @param reference `[other rows, ...features]`
 * @param referenceLabels int32 `[other rows]`
 * @throws {ShapeError} when features differ or labels do not fit
 * @throws {ArgumentError} when a class has fewer than 2 rows on either side
 */
export function classFrechetDistance(
  samples: HostArray,
  sampleLabels: HostArray<'int32'>,
  reference: HostArray,
  referenceLabels: HostArray<'int32'>,
): number {
  checkLabels(sampleLabels, samples.shape[0]!);
  checkLabels(referenceLabels, reference.shape[0]!);
  const classes = [...new Set([...sampleLabels.data, ...referenceLabels.data])];
  const distances = classes.map((label) => {
    const [ofSamples, ofReference] = [
      rowsOfClass(samples, sampleLabels, label),
      rowsOfClass(reference, referenceLabels, label),
    ];
    const fewest = Math.min(ofSamples.shape[0]!, ofReference.shape[0]!);
    if (fewest < 2) {
      throw new ArgumentError(
        `Class ${label} has ${ofSamples.shape[0]} samples and ${ofReference.shape[0]} reference samples, ` +
          'expected at least 2 of each.',
      );
    }
    return frechetDistance(ofSamples, ofReference);
  });
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}

/** float64 `[rows of the class, ...features]` */
function rowsOfClass(array: HostArray, labels: HostArray<'int32'>, label: number): HostArray<'float64'> {
  const chosen = Array.from(labels.data.keys()).filter((row) => labels.data[row] === label);
  return array
    .takeRows(chosen)
    .reshape([chosen.length, array.size / labels.size])
    .to('float64');
}

function checkLabels(labels: HostArray<'int32'>, rows: number): void {
  if (labels.shape.length !== 1 || labels.size !== rows) {
    throw new ShapeError(`Expected a label for each of ${rows} rows, got ${formatShape(labels.shape)}.`);
  }
}
