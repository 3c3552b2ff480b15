/** Every primitive's test cases. The record is exhaustive: a primitive without cases is a compile error. */
import type { PrimitiveName } from '../../src/backend-door.js';
import { binaryCases } from './binary-cases.js';
import type { OpCase } from './case.js';
import { contractionCases } from './contraction-cases.js';
import { elementwiseCases } from './elementwise-cases.js';
import { reductionCases } from './reduction-cases.js';
import { shapingCases } from './shaping-cases.js';

export const opCases: { readonly [K in PrimitiveName]: readonly OpCase[] } = {
  ...elementwiseCases,
  ...binaryCases,
  ...reductionCases,
  ...shapingCases,
  ...contractionCases,
};
