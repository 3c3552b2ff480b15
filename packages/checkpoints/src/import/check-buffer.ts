/**
 * Constants that a checkpoint holds beside its parameters, against those that the network has here: with other ones the same
 * weights are another function.
 */
import { DataError } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { readTensor, type StoredDTypeName, type StoredTensor } from '@meanflow/formats';
import { describeTensor } from '@meanflow/formats/build';
import { sameUpToOnes, type PublishedBuffer } from '@meanflow/models/published';
import type { ImportPlan } from './plan.js';

/**
 * What two ways of computing the same table may differ by, as a share of its largest element: its storage's precision, and that
 * of a float32 angle of some tens.
 */
const tolerances: Readonly<Partial<Record<StoredDTypeName, number>>> = {
  F64: 1e-5,
  F32: 1e-5,
  F16: 2e-3,
  BF16: 1e-2,
};

/**
 * @param plan what else could be chosen, for the message
 * @throws {DataError} when the tensor is not the constant that it should be
 */
export async function checkBuffer(
  expected: PublishedBuffer,
  tensor: StoredTensor,
  { otherWeights }: Pick<ImportPlan, 'otherWeights'>,
): Promise<void> {
  const { value, shape, meaning } = expected;
  const fail = (problem: string): never => {
    throw new DataError(
      `"${tensor.name}" is ${meaning}, and ${problem}: the checkpoint was trained with another one than this network has.` +
        (otherWeights.length === 0 ? '' : ` Other weights that it has (--ema): ${otherWeights.join(', ')}.`),
    );
  };
  const tolerance = tolerances[tensor.dtype];
  if (tolerance === undefined || !sameUpToOnes(tensor.shape, shape)) {
    return fail(`it is ${describeTensor(tensor)}, expected F32${formatShape(shape)}`);
  }
  const found = await readTensor(tensor);
  const largest = value.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const wrong = value.data.findIndex((x, i) => !(Math.abs(Number(found.data[i]) - x) <= tolerance * largest));
  if (wrong >= 0) fail(`its element ${wrong} is ${found.data[wrong]}, expected ${value.data[wrong]}`);
}
