/**
 * Numeric checks in float64 through the reference interpreter: values of traced functions, Jacobian–vector products
 * against central finite differences, vector–Jacobian products by the dot-product test, and second derivatives in
 * both orders against each other and against finite differences of the gradient.
 */
import {
  grad,
  hostArray,
  HostArray,
  jvp,
  mul,
  sizeOf,
  sum,
  trace,
  vjp,
  type Graph,
  type Shape,
  type Tensor,
} from '../../src/index.js';
import { interpret, prepare } from '../../src/backend-door.js';

/** A function of tensors, as the checks take it. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

/** The deterministic operand that data/reference.py uses too. */
export function wave(shape: Shape, phase = 0, scale = 1): HostArray<'float64'> {
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(1.3 * i + phase));
  return hostArray(values, { dtype: 'float64', shape });
}

/** Like {@link wave}, positive: from 0.5 to 1.5 times `scale`. */
export function positiveWave(shape: Shape, phase = 0, scale = 1): HostArray<'float64'> {
  const values = wave(shape, phase).data.map((x) => scale * (1 + x / 2));
  return hostArray(values, { dtype: 'float64', shape });
}

export const ints = (values: readonly number[], shape: Shape = [values.length]) =>
  new HostArray('int32', shape, Int32Array.from(values));
export const bools = (values: readonly number[], shape: Shape = [values.length]) =>
  new HostArray('bool', shape, Uint8Array.from(values));
export const floats = (values: readonly number[], shape: Shape = [values.length]) =>
  new HostArray('float64', shape, Float64Array.from(values));

/** The graph of a function of tensors at the types of `inputs`. */
export function graphOf(f: TensorFunction, inputs: readonly HostArray[]): Graph {
  return trace((tensors: Tensor[]) => f(...tensors), inputs as HostArray[]).graph;
}

export function runGraph(graph: Graph, inputs: readonly HostArray[]): HostArray {
  return interpret(graph, Object.fromEntries(inputs.map((input, i) => [`${i}`, input])))['output'];
}

/** The value of `f`. It must be the same after `prepare`. */
export function evaluate(f: TensorFunction, inputs: readonly HostArray[]): HostArray {
  const graph = graphOf(f, inputs);
  const value = runGraph(graph, inputs);
  expectClose(runGraph(prepare(graph), inputs).data, value.data, 1e-12);
  return value;
}

/** Elementwise |a − b| ≤ tolerance · (1 + the largest finite |b|); NaN equals NaN, infinities must be equal. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void {
  const [a, b] = [Array.from(actual), Array.from(expected)];
  const scale = b.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
  const bound = tolerance * (1 + scale);
  const agree = (x: number, y: number) => Object.is(x, y) || x === y || Math.abs(x - y) <= bound;
  if (a.length === b.length && a.every((x, i) => agree(x, b[i]))) return;
  // Fails with a readable difference: what agrees is shown as expected.
  expect(a.map((x, i) => (i < b.length && agree(x, b[i]) ? b[i] : x))).toEqual(b);
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((total, x, i) => total + x * b[i], 0);
}

const isFloat = ({ dtype }: HostArray) => dtype === 'float64' || dtype === 'float32';

/** `xs + step · directions`, on the float inputs; directions are listed for those only. */
function moved(xs: readonly HostArray[], directions: readonly HostArray[], step: number): HostArray[] {
  let next = 0;
  return xs.map((x) => {
    if (!isFloat(x)) return x;
    const direction = directions[next++];
    return new HostArray(
      'float64',
      x.shape,
      Float64Array.from(x.data, (v, i) => v + step * direction.data[i]),
    );
  });
}

const STEP = 1e-5;

function centralDifference(
  f: (xs: HostArray[]) => HostArray,
  xs: readonly HostArray[],
  vs: HostArray[],
): number[] {
  const [plus, minus] = [f(moved(xs, vs, STEP)), f(moved(xs, vs, -STEP))];
  return Array.from(plus.data, (value, i) => (value - minus.data[i]) / (2 * STEP));
}

export interface DerivativeOptions {
  /** Highest order to check; 2 by default. Ops whose rules stop at kinks are checked away from them. */
  readonly order?: 1 | 2;
  /** Of the finite differences, relative to the largest derivative. */
  readonly tolerance?: number;
}

/** Checks all derivatives of `f` in its float inputs along fixed directions. */
export function checkDerivatives(
  f: TensorFunction,
  inputs: readonly HostArray[],
  { order = 2, tolerance = 1e-7 }: DerivativeOptions = {},
): void {
  const float = inputs.map(isFloat);
  const directions = inputs.filter(isFloat).map(({ shape }, i) => wave(shape, 0.9 + i));
  const count = inputs.length;
  /** `f` of the float inputs alone, the others being held. */
  const ofFloats = (all: readonly Tensor[]) => (moving: Tensor[]) => {
    let next = 0;
    return f(...all.map((tensor, i) => (float[i] ? moving[next++] : tensor)));
  };
  const floatsOf = (all: readonly Tensor[]) => all.filter((_, i) => float[i]);

  // Forward mode against finite differences.
  const pushed = evaluate(
    (...all) => {
      const primals = floatsOf(all.slice(0, count));
      const partial = ofFloats(all.slice(0, count));
      return jvp((moving: Tensor[]) => partial(moving), [primals], [[...all.slice(count)]])[1];
    },
    [...inputs, ...directions],
  );
  const value = graphOf(f, inputs);
  expectClose(
    pushed.data,
    centralDifference((xs) => runGraph(value, xs), inputs, directions),
    tolerance,
  );

  // Reverse mode by ⟨w, J v⟩ = ⟨Jᵀ w, v⟩.
  const weights = wave(pushed.shape, 2);
  const pulledDot = evaluate(
    (...all) => {
      const primals = floatsOf(all.slice(0, count));
      const [, pull] = vjp(ofFloats(all.slice(0, count)), [primals]);
      const [cotangents] = pull(all[all.length - 1]);
      return dotTrees(cotangents, all.slice(count, -1));
    },
    [...inputs, ...directions, weights],
  );
  expectClose(pulledDot.data, [dot(weights.data, pushed.data)], 1e-11);

  if (order === 2) checkSecondOrder(ofFloats, floatsOf, inputs, directions, weights, tolerance);
}

/** Σᵢ ⟨aᵢ, bᵢ⟩ as a scalar. */
function dotTrees(a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  return a.map((x, i) => sum(mul(x, b[i]))).reduce((total, term) => total.add(term));
}

type Partial = (all: readonly Tensor[]) => (moving: Tensor[]) => Tensor;

function checkSecondOrder(
  ofFloats: Partial,
  floatsOf: (all: readonly Tensor[]) => Tensor[],
  inputs: readonly HostArray[],
  directions: readonly HostArray[],
  weights: HostArray,
  tolerance: number,
): void {
  const count = inputs.length;
  const everything = [...inputs, ...directions, weights];
  // The square makes every op's second derivative matter, linear ones' too.
  const scalar = (all: readonly Tensor[]) => (moving: Tensor[]) => {
    const out = ofFloats(all.slice(0, count))(moving);
    return sum(mul(mul(out, out), all[all.length - 1]));
  };
  const pick = (all: readonly Tensor[]) => [floatsOf(all.slice(0, count)), all.slice(count, -1)] as const;
  directions.forEach((_, chosen) => {
    const forwardOverReverse = evaluate((...all) => {
      const [xs, vs] = pick(all);
      return jvp((moving: Tensor[]) => grad(scalar(all))(moving), [xs], [[...vs]])[1][chosen];
    }, everything).data;
    const reverseOverForward = evaluate((...all) => {
      const [xs, vs] = pick(all);
      return grad((moving: Tensor[]) => jvp(scalar(all), [moving], [[...vs]])[1])(xs)[chosen];
    }, everything).data;
    const reverseOverReverse = evaluate((...all) => {
      const [xs, vs] = pick(all);
      return grad((moving: Tensor[]) => dotTrees(grad(scalar(all))(moving), vs))(xs)[chosen];
    }, everything).data;
    expectClose(reverseOverForward, forwardOverReverse, 1e-11);
    expectClose(reverseOverReverse, forwardOverReverse, 1e-11);
    const gradient = graphOf((...all) => grad(scalar(all))(pick(all)[0])[chosen], everything);
    const difference = centralDifference(
      (xs) => runGraph(gradient, [...xs, ...directions, weights]),
      inputs,
      [...directions],
    );
    expectClose(forwardOverReverse, difference, 10 * tolerance);
  });
}
