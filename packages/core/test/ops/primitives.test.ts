/** Every primitive: type, value, and derivatives to second order, case by case. */
import { primitiveNames } from '../../src/backend-door.js';
import { checkDerivatives, evaluate, expectClose } from '../support/numeric.js';
import { opCases } from './cases.js';

describe.each(primitiveNames.map((op) => ({ op, cases: opCases[op] })))('$op', ({ cases }) => {
  it.each(cases)('$name', ({ f, inputs, shape, expected, order }) => {
    const value = evaluate(f, inputs);
    if (shape !== undefined) expect(value.shape).toEqual(shape);
    if (expected !== undefined) expectClose(value.data, expected, 1e-14);
    if (order !== undefined) checkDerivatives(f, inputs, { order });
  });
});
