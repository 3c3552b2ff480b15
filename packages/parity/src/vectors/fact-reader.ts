/** How one kind of fact of the published models is compared. */
import type { JsonObject } from '@meanflow/formats';
import type { ParityCase, TensorResult } from './parity-case.js';

/** Compares the entries whose keys it knows. */
export interface FactReader {
  readonly pattern: RegExp;
  /** @param entries the entry among its siblings, to which it may refer */
  readonly compare: (key: RegExpExecArray, entries: JsonObject, given: ParityCase) => readonly TensorResult[];
}
