/** The check of a dtype that a graph is to have, wherever one is named. */
import { describeValue } from './describe-value.js';
import { DTypeError } from './errors.js';
import type { DType } from './types.js';

const dtypes: Readonly<Record<DType, true>> = { float32: true, float16: true, int32: true, bool: true };

/**
 * @param what whose dtype it is, such as `cast`
 * @throws {DTypeError} when a graph has no such dtype
 */
export function checkDType(what: string, dtype: DType): void {
  if (typeof dtype === 'string' && Object.hasOwn(dtypes, dtype)) return;
  throw new DTypeError(
    `${what}: the dtypes of a graph are ${Object.keys(dtypes).join(', ')}; got ${describeValue(dtype)}.`,
  );
}
