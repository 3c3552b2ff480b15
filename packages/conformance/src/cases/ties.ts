/**
 * Derivatives where there are none: of maxima at ties, and of functions at their kinks. Differences know nothing of them, and an
 * interpreted gradient shares the error of a wrong rule: what core says is written out here. Equal maxima share the derivative
 * equally, and so do equal operands. Cotangents differ from row to row, and tangents from element to element.
 */
import { abs, clip, grad, HostArray, jvp, max, maximum, min, minimum, mul, relu, sum, type Tensor } from '@meanflow/core'; // prettier-ignore
import { nameArrays, traceFlat, type TensorFunction } from './build.js';
import type { GraphCase } from './case.js';
import { f32 } from './inputs.js';

/** The derivatives of `f`, one after another, and what they are. */
function tieCase(op: string, name: string, f: TensorFunction, make: () => readonly HostArray[], known: readonly (readonly number[])[]): GraphCase {
  return {
    kind: 'graph',
    id: `${op}: ${name} at ties`,
    op,
    aspect: 'derivatives',
    features: [],
    build: () => {
      const inputs = nameArrays(make());
      const graph = traceFlat(`${op} ${name}`, f, inputs);
      const values = graph.outputs.map(({ name, value }, i) => [name, new HostArray('float64', graph.types[value]!.shape, Float64Array.from(known[i]!))] as const);
      return { graph, inputs, known: Object.fromEntries(values) };
    },
  };
} // prettier-ignore

/** Of three rows of three. */
const ROWS = [2, 2, 1, 3, 3, 3, -1, 0, -1];
const DIRECTION = [1, -2, 4, 3, 5, -2, 6, 7, -4];
const COTANGENT = [2, -3, 5];
/** The part of each element in the derivative of its row. */
const PARTS = {
  max: [1 / 2, 1 / 2, 0, 1 / 3, 1 / 3, 1 / 3, 0, 1, 0],
  min: [0, 0, 1, 1 / 3, 1 / 3, 1 / 3, 1 / 2, 0, 1 / 2],
};

function ofRows(name: keyof typeof PARTS): GraphCase[] {
  const of = { max, min }[name];
  const f = (x: Tensor): Tensor => of(x, 1);
  const pulled = PARTS[name].map((part, i) => part * COTANGENT[Math.floor(i / 3)]!);
  const moved = PARTS[name].map((part, i) => part * DIRECTION[i]!);
  const pushed = [0, 3, 6].map((at) => moved[at]! + moved[at + 1]! + moved[at + 2]!);
  const square = (list: readonly number[]) => f32(list, [3, 3]);
  return [
    tieCase('reduceMax', `gradient of ${name}`, (x, c) => grad((y: Tensor) => sum(mul(f(y), c)))(x), () => [square(ROWS), f32(COTANGENT)], [pulled]),
    tieCase('reduceMax', `tangent of ${name}`, (x, dx) => jvp(f, [x], [dx])[1], () => [square(ROWS), square(DIRECTION)], [pushed]),
  ];
} // prettier-ignore

/** Two operands, the part of the first in the derivative, and a cotangent. */
const [FIRST, SECOND, EACH] = [[1, 2, -1, 0], [1, 1, 3, 0], [2, -3, 5, 7]]; // prettier-ignore
const OF_FIRST = { maximum: [1 / 2, 1, 0, 1 / 2], minimum: [1 / 2, 0, 1, 1 / 2] };

function ofTwo(name: keyof typeof OF_FIRST): GraphCase[] {
  const f = { maximum, minimum }[name];
  const parts = OF_FIRST[name];
  const pulled = [parts.map((part, i) => part * EACH[i]!), parts.map((part, i) => (1 - part) * EACH[i]!)];
  const pushed = parts.map((part, i) => part * EACH[i]! + (1 - part) * DIRECTION[i]!);
  const operands = () => [f32(FIRST), f32(SECOND), f32(EACH)];
  const pull: TensorFunction = (x, y, c) => [
    grad((a: Tensor) => sum(mul(f(a, y), c)))(x),
    grad((b: Tensor) => sum(mul(f(x, b), c)))(y),
  ];
  return [
    tieCase(name, 'gradient', pull, operands, pulled),
    tieCase(name, 'tangent', (x, y, dx, dy) => jvp(f, [x, y], [dx, dy])[1], () => [...operands(), f32(DIRECTION.slice(0, 4))], [pushed]),
  ];
} // prettier-ignore

/** Of one operand: where it has a kink, and beside that. */
function ofOne(op: string, name: string, f: (x: Tensor) => Tensor, at: readonly number[], slopes: readonly number[]): GraphCase {
  const pulled = slopes.map((slope, i) => slope * EACH[i]!);
  return tieCase(op, `gradient of ${name}`, (x, c) => grad((y: Tensor) => sum(mul(f(y), c)))(x), () => [f32(at), f32(EACH)], [pulled]);
} // prettier-ignore

export function tieCases(): GraphCase[] {
  return [
    ...ofRows('max'),
    ...ofRows('min'),
    ...ofTwo('maximum'),
    ...ofTwo('minimum'),
    ofOne('relu', 'relu', relu, [0, -1, 1, 2], [0, 0, 1, 1]),
    ofOne('abs', 'abs', abs, [0, -1, 1, 2], [0, -1, 1, 1]),
    ofOne('minimum', 'clip', (x) => clip(x, -1, 1), [-1, 0, 1, 2], [1 / 2, 1, 1 / 2, 0]),
  ];
}
