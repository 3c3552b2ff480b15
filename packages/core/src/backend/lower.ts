/** What every walk over a graph's instructions does: a lowering that fails is told which op and operands it is about. */
import { BackendError, MeanflowError } from '../errors.js';
import { formatType, type TensorType } from '../types.js';

/**
 * Calls a lowering. Our own diagnoses are passed on as they are.
 *
 * @param failure what could not be done, such as `could not be written as ONNX`
 * @throws {BackendError} of whatever else it throws, naming the op and its operands
 */
export function lowering<T>(op: string, operands: readonly TensorType[], failure: string, lower: () => T): T {
  try {
    return lower();
  } catch (error) {
    if (error instanceof MeanflowError) throw error;
    const types = operands.map(formatType).join(', ');
    throw new BackendError(`${op} of ${types} ${failure}: ${String(error)}`, { cause: error });
  }
}
