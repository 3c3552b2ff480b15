/** The one error of training that core does not have. */
import { MeanflowError } from '@meanflow/core';
import type { DivergenceReport } from './divergence.js';

/** The loss or a parameter became infinite or not a number, or the error grew beyond what it began with. */
export class DivergenceError extends MeanflowError {
  override get name(): string {
    return 'DivergenceError';
  }

  constructor(
    message: string,
    /** The update that did it, counted from 1. */
    readonly step: number,
    /** All that was found out about it. */
    readonly report: DivergenceReport,
  ) {
    super(message);
  }
}
