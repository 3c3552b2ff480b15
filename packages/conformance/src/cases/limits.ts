/**
 * Graphs that outgrow what devices offer at once: more rows, columns or products of a batch than a dispatch has workgroups
 * (65,535 along an axis), more inputs and outputs than a kernel has bindings (8 at least), more ops in a row than a
 * compiler likes, and elements beyond those that a dispatch of small workgroups reaches.
 */
import {
  add,
  argMax,
  dotGeneral,
  gather,
  matmul,
  max,
  mul,
  neg,
  softmax,
  sub,
  sum,
  transpose,
  type Tensor,
} from '@meanflow/core';
import { valueCase, type TensorFunction } from './build.js';
import type { GraphCase } from './case.js';
import { floats, ints } from './inputs.js';

const MANY = 66_000;
const INPUTS = 40;

/** All of them. */
export function limitCases(): GraphCase[] {
  const large = { features: ['large'] } as const;
  const rows = (op: string, f: (x: Tensor) => Tensor) => [
    valueCase(op, `${MANY} rows`, f, () => [floats([MANY, 3])], large),
    valueCase(op, `${MANY} columns`, (x) => f(transpose(x)), () => [floats([3, MANY])], large),
  ]; // prettier-ignore
  const batch = { lhsContracting: [2], rhsContracting: [1], lhsBatch: [0], rhsBatch: [0] };
  const sums: TensorFunction = (...x) => x.reduce((total, y) => add(total, y));
  const pairs: TensorFunction = (...x) => x.map((y, i) => mul(y, x[(i + 1) % x.length]!));
  const inputs = () => Array.from({ length: INPUTS }, (_, i) => floats([2, 3], -1, 1, `input ${i}`));
  return [
    ...rows('reduceSum', (x) => sum(x, 1)),
    ...rows('reduceMax', (x) => max(x, 1)),
    ...rows('argMax', (x) => argMax(x, 1)),
    valueCase(
      'softmax',
      `${MANY} rows`,
      (x) => softmax(x),
      () => [floats([MANY, 2])],
      { aspect: 'composites', ...large },
    ),
    valueCase('dotGeneral', `a batch of ${MANY}`, (x, y) => dotGeneral(x, y, batch), () => [
      floats([MANY, 1, 2], -1, 1, 'a'),
      floats([MANY, 2, 1], -1, 1, 'b'),
    ], large), // prettier-ignore
    valueCase('dotGeneral', `${MANY} rows by a vector`, (x, y) => matmul(x, y), () => [
      floats([MANY, 3], -1, 1, 'a'),
      floats([3, 1], -1, 1, 'b'),
    ], large), // prettier-ignore
    valueCase('gather', `${MANY} rows`, (table, at) => gather(table, at), () => [
      floats([5, 2]),
      ints([MANY], 0, 5, 'indices'),
    ], large), // prettier-ignore
    valueCase(
      'neg',
      '2^22 + 3 elements',
      (x) => neg(x),
      () => [floats([2 ** 22 + 3])],
      large,
    ),
    valueCase('add', `of ${INPUTS} inputs`, sums, inputs),
    valueCase('mul', `${INPUTS} inputs, ${INPUTS} outputs`, pairs, inputs),
    valueCase('sub', 'a chain of 300', (x, y) => {
      let z = x;
      for (let i = 0; i < 300; i++) z = i % 2 === 0 ? sub(z, y) : sub(y, z);
      return z;
    }, () => [floats([2, 3], -1, 1, 'a'), floats([3], -1, 1, 'b')]), // prettier-ignore
  ];
}
