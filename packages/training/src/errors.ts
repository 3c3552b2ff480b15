/** The one error of training that core does not have. */
import { MeanflowError } from '@meanflow/core';

/** The loss or a parameter became infinite or not a number. */
export class DivergenceError extends MeanflowError {
  override get name(): string {
    return 'DivergenceError';
  }

  constructor(
    message: string,
    /** The update at which it was seen, counted from 1. */
    readonly step: number,
  ) {
    super(message);
  }
}
