/**
 * Random well-typed programs for property-based tests: a list of steps, each of which applies one op to values made
 * before. Every list of numbers is a program, so that fast-check can shrink a failing one to its shortest form.
 */
import fc from 'fast-check';
import {
  abs, add, broadcastTo, cast, checkpoint, concat, constant, conv, cos, div, dotGeneral, erf, exp, full, gather, gelu,
  greater, jvp, layerNorm, less, log, max, maximum, mean, minimum, mul, neg, pad, pow, reshape, reverse, rmsNorm, rsqrt,
  scatterAdd, sigmoid, sign, silu, sin, sizeOf, slice, softmax, softplus, sqrt, square, stopGradient, sub, sum, tanh,
  transpose, where, type Tensor,
} from '../../src/index.js'; // prettier-ignore
import { broadcastShapes } from '../../src/ops/broadcasting.js';

/** What a step reads its choices from: a fixed list of numbers. */
class Choices {
  private next = 0;
  constructor(private readonly numbers: readonly number[]) {}
  below(n: number): number {
    return n === 0 ? 0 : this.numbers[this.next++ % this.numbers.length] % n;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

type Step = (pool: readonly Tensor[], choose: Choices) => Tensor;

const MAX_ELEMENTS = 200;

const unaries: readonly ((x: Tensor) => Tensor)[] = [
  neg, abs, sign, sin, cos, tanh, sigmoid, erf, square, silu, gelu, softplus, stopGradient,
  (x) => gelu(x, { approximate: 'tanh' }),
  (x) => exp(tanh(x)),
  (x) => log(add(1.5, square(x))),
  (x) => sqrt(add(0.5, square(x))),
  (x) => rsqrt(add(0.5, square(x))),
  (x) => pow(add(1, square(x)), 1.5),
  (x) => cast(cast(x, 'int32'), 'float32'),
  (x) => neg(neg(x)),
  (x) => mul(2, mul(-0.5, x)),
  (x) => add(x, 0),
  (x) => checkpoint((t: Tensor) => sin(mul(t, tanh(t))))(x),
  (x) => jvp((t: Tensor) => mul(t, sin(t)), [x], [1])[1],
  (x) => jvp((t: Tensor) => tanh(t), [x], [stopGradient(x)])[1],
]; // prettier-ignore

const binaries: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  add, sub, mul, maximum, minimum,
  (x, y) => div(x, add(1, square(y))),
  (x, y) => where(less(x, y), mul(x, y), sub(x, y)),
  (x, y) => where(greater(x, 0.1), x, y),
  (x, y) => add(x, neg(y)),
  (x, y) => sub(x, neg(y)),
]; // prettier-ignore

const fits = (x: Tensor, y: Tensor): boolean => {
  try {
    return sizeOf(broadcastShapes([x.shape, y.shape])) <= MAX_ELEMENTS;
  } catch {
    return false;
  }
};

const someAxes = (x: Tensor, choose: Choices) =>
  x.shape.map((_, axis) => axis).filter(() => choose.below(2) === 0);

function shuffled(rank: number, choose: Choices): number[] {
  const left = Array.from({ length: rank }, (_, axis) => axis);
  return Array.from({ length: rank }, () => left.splice(choose.below(left.length), 1)[0]);
}

const steps: readonly Step[] = [
  (pool, choose) => choose.of(unaries)(choose.of(pool)),
  (pool, choose) => choose.of(unaries)(choose.of(pool)),
  (pool, choose) => {
    const x = choose.of(pool);
    return choose.of(binaries)(x, choose.of(pool.filter((y) => fits(x, y))));
  },
  (pool, choose) => {
    const x = choose.of(pool);
    return choose.of(binaries)(choose.of(pool.filter((y) => fits(x, y))), x);
  },
  (pool, choose) => {
    const x = choose.of(pool);
    return choose.of([sum, mean])(x, someAxes(x, choose), { keepDims: choose.below(2) === 0 });
  },
  (pool, choose) => {
    const x = choose.of(pool.filter(({ shape }) => sizeOf(shape) > 0));
    return max(x, someAxes(x, choose));
  },
  (pool, choose) => {
    const x = choose.of(pool);
    const axis = choose.below(x.rank + 1);
    const flat = choose.below(2) === 0;
    return reshape(x, flat ? [sizeOf(x.shape)] : [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
  },
  (pool, choose) => {
    const x = choose.of(pool);
    return transpose(x, shuffled(x.rank, choose));
  },
  (pool, choose) => {
    const x = choose.of(pool.filter(({ shape }) => 3 * sizeOf(shape) <= MAX_ELEMENTS && shape.length < 5));
    return broadcastTo(x, [choose.of([1, 2, 3, 0]), ...x.shape.map((n) => (n === 1 ? choose.of([1, 2]) : n))]);
  },
  (pool, choose) => {
    const x = choose.of(pool);
    const starts = x.shape.map((n) => choose.below(n + 1));
    const limits = x.shape.map((n, axis) => starts[axis] + choose.below(n - starts[axis] + 1));
    return slice(x, starts, limits, x.shape.map(() => 1 + choose.below(2)));
  },
  (pool, choose) => {
    const x = choose.of(pool.filter(({ shape }) => sizeOf(shape) <= 20 && shape.length <= 3));
    const few = () => x.shape.map(() => choose.below(2));
    return pad(x, { low: few(), high: few(), interior: few() });
  },
  (pool, choose) => {
    const x = choose.of(pool.filter(({ rank, shape }) => rank > 0 && 3 * sizeOf(shape) <= MAX_ELEMENTS));
    const axis = choose.below(x.rank);
    const same = pool.filter(({ shape }) => shape.length === x.rank && shape.every((n, a) => a === axis || n === x.shape[a]));
    return concat([full(x.shape, 0.5), x, choose.of(same)].slice(choose.below(2)), axis);
  },
  (pool, choose) => {
    const x = choose.of(pool);
    return reverse(x, someAxes(x, choose));
  },
  (pool, choose) => {
    // Axes of two operands are paired at random where their sizes agree, as batch or contracting.
    const [x, y] = [choose.of(pool.filter(({ rank }) => rank <= 3)), choose.of(pool.filter(({ rank }) => rank <= 3))];
    const free = shuffled(y.rank, choose);
    const dimensions = { lhsBatch: [] as number[], rhsBatch: [] as number[], lhsContracting: [] as number[], rhsContracting: [] as number[] };
    for (const axis of shuffled(x.rank, choose)) {
      const partner = free.findIndex((other) => y.shape[other] === x.shape[axis]);
      const role = choose.of(['Batch', 'Contracting', 'none'] as const);
      if (partner < 0 || role === 'none') continue;
      dimensions[`lhs${role}`].push(axis);
      dimensions[`rhs${role}`].push(...free.splice(partner, 1));
    }
    const product = dotGeneral(x, y, dimensions);
    return sizeOf(product.shape) <= MAX_ELEMENTS && product.rank <= 5 ? product : sum(product);
  },
  (pool, choose) => {
    const x = reshape(choose.of(pool.filter(({ shape }) => sizeOf(shape) <= 24)), [1, 1, -1]);
    const kernel = reshape(choose.of(pool.filter(({ shape }) => sizeOf(shape) >= 1 && sizeOf(shape) <= 4)), [-1, 1, 1]);
    return conv(x, broadcastTo(kernel, [kernel.shape[0], 1, 2]), {
      strides: [1 + choose.below(2)],
      padding: [[choose.below(3) - 1, choose.below(3)]],
      lhsDilation: [1 + choose.below(2)],
      rhsDilation: [1 + choose.below(2)],
    });
  },
  (pool, choose) => {
    const x = choose.of(pool.filter(({ shape }) => shape.length > 0 && shape[0] > 0));
    const indices = constant([0, x.shape[0] - 1, choose.below(x.shape[0])], 'int32');
    const rows = gather(x, indices);
    return choose.below(2) === 0 ? rows : scatterAdd(rows, constant([2, 0, 2], 'int32'), 4);
  },
  (pool, choose) => choose.of([softmax, (x: Tensor) => layerNorm(x, { epsilon: 0.1 }), (x: Tensor) => rmsNorm(x, { epsilon: 0.1 })])(choose.of(pool.filter(({ rank, shape }) => rank > 0 && sizeOf(shape) > 0))),
]; // prettier-ignore

/** Operand shapes of every random program. */
export const programInputs: readonly (readonly number[])[] = [[2, 3], [3], [2, 1], []];

/** A program: for each step, which op, and the numbers that its choices come from. */
export const randomProgram = fc.array(
  fc.record({
    op: fc.nat(steps.length - 1),
    choices: fc.array(fc.nat(1000), { minLength: 4, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 12 },
);
type Program = readonly { readonly op: number; readonly choices: readonly number[] }[];

/**
 * The program as a function to a scalar: the mean of every value that it made, squashed so that numbers stay of
 * ordinary size however long the program is.
 */
export function runProgram(program: Program, inputs: readonly Tensor[]): Tensor {
  const pool: Tensor[] = [...inputs];
  for (const { op, choices } of program) {
    const value = steps[op](pool, new Choices(choices));
    pool.push(choices[0] % 3 === 0 ? tanh(value) : mul(0.5, value));
  }
  return pool
    .filter(({ shape }) => sizeOf(shape) > 0)
    .map((value) => mean(sin(value)))
    .reduce((total, term) => add(total, term));
}
