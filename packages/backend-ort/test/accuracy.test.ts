/** What ONNX Runtime on the CPU does better than the conformance kit asks: roundings of functions, far from 0 as well. */
import * as mf from '@meanflow/core';
import { check, floats, normal, type Accuracy } from './support.js';

const NUMBERS = [0, 1, -1, 0.5, -0.5, 2, -2.5, 3.7, -3.7, 17, -17, 80, -80, 1e-30];
const FUNCTIONS: [keyof typeof mf & string, Accuracy][] = [
  ['sqrt', 'arithmetic'],
  ['rsqrt', 'function'],
  ['exp', 'function'],
  ['log', 'function'],
  ['sin', 'function'],
  ['cos', 'function'],
  ['tanh', 'function'],
  ['sigmoid', 'function'],
  ['erf', 'function'],
];

test.each(FUNCTIONS)('%s', async (name, accuracy) => {
  const f = mf[name] as (x: mf.Tensor) => mf.Tensor;
  await check(f, [floats(NUMBERS)], accuracy);
  await check(f, [normal([3, 5, 7])], accuracy);
});

test('pow', async () => {
  const [bases, exponents] = [[0.5, 1, 2, 9], [0, 1, 2, -1, 0.5, 3.3, -2.5]]; // prettier-ignore
  const left = floats(bases.flatMap((base) => exponents.map(() => base)));
  const right = floats(bases.flatMap(() => exponents));
  await check((x, y) => mf.pow(x, y), [left, right], 'function');
});

test('quotients', async () => {
  await check((x, y) => mf.div(x, y), [normal([40, 1]), normal([50], 'y')], 'arithmetic');
});
