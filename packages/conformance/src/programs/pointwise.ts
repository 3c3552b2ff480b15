/** Ops of random programs that work element by element: arithmetic, functions, comparison, logic, selection, casts. */
import * as mf from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { sizeOf, type DType, type Tensor } from '@meanflow/core';
import { broadcastShapes } from '@meanflow/core/backend';
import { call, programOp, type ProgramOp } from './op.js';
import { magnitude, MAX_ELEMENTS, type Draft, type Pool, type PoolValue } from './pool.js';

type Unary = (x: Tensor) => Tensor;
type Binary = (x: Tensor, y: Tensor) => Tensor;

/** Functions of any number of ordinary size. */
const smoothFunctions: readonly (readonly [string, Unary])[] = [
  ['sin', mf.sin], ['cos', mf.cos], ['tanh', mf.tanh], ['sigmoid', mf.sigmoid], ['erf', mf.erf], ['square', mf.square],
] as const; // prettier-ignore

/** Functions with a domain: from `low` to `high`. */
const boundedFunctions: readonly (readonly [string, Unary, number, number])[] = [
  ['exp', mf.exp, -9, 5],
  ['log', mf.log, 0.05, Infinity],
  ['sqrt', mf.sqrt, 0.05, Infinity],
  ['rsqrt', mf.rsqrt, 0.05, Infinity],
];

const within = ({ data }: PoolValue, low: number, high: number): boolean =>
  Array.prototype.every.call(data, (x: number) => x >= low && x <= high);

function functionOf(pool: Pool): Draft | undefined {
  if (pool.dice.oneIn(2)) {
    const x = pool.float();
    const [op, f] = pool.dice.of(smoothFunctions);
    return x && call(op, [x], f, { rounds: true });
  }
  const [op, f, low, high] = pool.dice.of(boundedFunctions);
  const x = pool.float((value) => within(value, low, high));
  if (x !== undefined) return call(op, [x], f, { rounds: true });
  const y = pool.float((value) => magnitude(value.data) < 50);
  if (y === undefined) return undefined;
  if (op === 'exp')
    return { ...call('exp', [y], (t) => f(mf.tanh(t)), { rounds: true }), write: ([t]) => `exp(tanh(${t}))` };
  return {
    ...call(op, [y], (t) => f(mf.add(0.5, mf.square(t))), { rounds: true }),
    write: ([t]) => `${op}(add(0.5, square(${t})))`,
  };
}

function signs(pool: Pool): Draft | undefined {
  const x = pool.pick(({ dtype }) => dtype !== 'bool');
  if (x === undefined) return undefined;
  const exact = x.exact || x.dtype === 'int32';
  const numbers = Array.from(x.data);
  const op = pool.dice.of([
    'neg',
    'neg',
    'neg',
    'abs',
    'sign',
    'floor',
    'isFinite',
    'isFinite',
    'relu',
  ] as const);
  if (op === 'neg') return call(op, [x], mf.neg);
  if (op === 'abs') return pool.isSmoothAt(numbers) ? call(op, [x], mf.abs) : undefined;
  if (op === 'relu') return pool.isSmoothAt(numbers) ? call(op, [x], mf.relu) : undefined;
  if (op === 'sign') return pool.decides(numbers, exact) ? call(op, [x], mf.sign) : undefined;
  if (x.dtype === 'int32') return undefined;
  if (op === 'isFinite') return call(op, [x], mf.isFinite);
  return pool.decides(toWhole(numbers), exact, magnitude(numbers)) ? call(op, [x], mf.floor) : undefined;
}

/** Distances to the nearest whole number. */
const toWhole = (numbers: readonly number[]): number[] => numbers.map((x) => x - Math.round(x));

/** Two operands of a dtype whose shapes go together. */
function pair(pool: Pool, fits: (value: PoolValue) => boolean): [PoolValue, PoolValue] | undefined {
  const x = pool.pick(fits);
  if (x === undefined) return undefined;
  // Rarely itself: of that much is known.
  const isOther = ({ number }: PoolValue) => number !== x.number || pool.dice.oneIn(6);
  const y = pool.pick(
    (value) => fits(value) && value.dtype === x.dtype && goTogether(x, value) && isOther(value),
  );
  if (y === undefined) return undefined;
  return pool.dice.oneIn(2) ? [x, y] : [y, x];
}

export function goTogether(...values: readonly PoolValue[]): boolean {
  try {
    return sizeOf(broadcastShapes(values.map(({ shape }) => shape))) <= MAX_ELEMENTS;
  } catch {
    return false;
  }
}

const isNumber = ({ dtype }: PoolValue): boolean => dtype !== 'bool';

/** x − y for all elements that meet. */
function differences(x: PoolValue, y: PoolValue): number[] {
  const host = (value: PoolValue) => new mf.HostArray('float64', value.shape, Float64Array.from(value.data));
  const type = { dtype: 'float32', shape: [] } as const;
  const { graph } = mf.trace(({ a, b }: { readonly a: Tensor; readonly b: Tensor }) => mf.sub(a, b), {
    a: mf.spec(x.shape, type.dtype),
    b: mf.spec(y.shape, type.dtype),
  });
  return Array.from(interpret(graph, { a: host(x), b: host(y) }).output!.data);
}

const NUMBERS = [0.5, -0.75, 1, 2, -1, 3, 0.1, 1.7, -2.3];

function arithmetic(pool: Pool): Draft | undefined {
  const op = pool.dice.of(['add', 'add', 'sub', 'mul', 'mul'] as const);
  const f = mf[op];
  if (pool.dice.oneIn(4)) {
    const x = pool.pick(isNumber);
    if (x === undefined) return undefined;
    const number = x.dtype === 'int32' ? pool.dice.between(-3, 4) : pool.dice.of(NUMBERS);
    const isExact = Math.fround(number) === number;
    if (pool.dice.oneIn(2)) return call(op, [x], (t) => f(t, number), { rest: [number], rounds: !isExact });
    return {
      ...call(op, [x], (t) => f(number, t), { rounds: !isExact }),
      write: ([t]) => `${op}(${number}, ${t})`,
    };
  }
  const found = pair(pool, isNumber);
  return found && call(op, found, f as Binary);
}

function quotient(pool: Pool): Draft | undefined {
  const found = pair(pool, isNumber);
  if (found === undefined) return undefined;
  const [x, y] = found;
  const isSafe = Array.prototype.every.call(
    y.data,
    (d: number) => Math.abs(d) >= (y.dtype === 'int32' ? 1 : 0.05),
  );
  if (isSafe) return call('div', [x, y], mf.div, { rounds: true });
  if (y.dtype === 'int32') return undefined;
  return {
    ...call('div', [x, y], (a, b) => mf.div(a, mf.add(1, mf.square(b))), { rounds: true }),
    write: ([a, b]) => `div(${a}, add(1, square(${b})))`,
  };
}

function power(pool: Pool): Draft | undefined {
  const exponent = pool.dice.of([0.5, -1, 2, 3, 1.5, -0.5]);
  const x = pool.float((value) => within(value, 0.1, 12));
  return x && call('pow', [x], (t) => mf.pow(t, exponent), { rest: [exponent], rounds: true });
}

function extremes(pool: Pool): Draft | undefined {
  const found = pair(pool, isNumber);
  if (found === undefined) return undefined;
  const [x, y] = found;
  const scale = Math.max(magnitude(x.data), magnitude(y.data));
  if (x.dtype === 'float32' && !pool.isSmoothAt(differences(x, y), scale)) return undefined;
  const op = pool.dice.of(['maximum', 'minimum'] as const);
  return call(op, found, mf[op] as Binary);
}

const COMPARISONS = ['equal', 'notEqual', 'less', 'lessEqual', 'greater', 'greaterEqual'] as const;

function comparison(pool: Pool): Draft | undefined {
  const found = pair(pool, isNumber);
  if (found === undefined) return undefined;
  const [x, y] = found;
  const exact = x.dtype === 'int32' || (x.exact && y.exact);
  const scale = Math.max(magnitude(x.data), magnitude(y.data));
  if (x.dtype === 'float32' && !pool.decides(differences(x, y), exact, scale)) return undefined;
  const op = pool.dice.of(COMPARISONS);
  return call(op, found, mf[op] as Binary);
}

function logic(pool: Pool): Draft | undefined {
  const found = pair(pool, ({ dtype }) => dtype === 'bool');
  if (found === undefined) return undefined;
  const op = pool.dice.of(['logicalAnd', 'logicalOr', 'logicalNot', 'equal'] as const);
  return op === 'logicalNot' ? call(op, [found[0]], mf.logicalNot) : call(op, found, mf[op] as Binary);
}

function selection(pool: Pool): Draft | undefined {
  const condition = pool.pick(({ dtype }) => dtype === 'bool');
  const x = condition && pool.pick((value) => isNumber(value) && goTogether(condition, value));
  if (x === undefined) return undefined;
  if (pool.dice.oneIn(3)) {
    const other = x.dtype === 'int32' ? 2 : 0.25;
    return call('where', [condition!, x], (c, t) => mf.where(c, t, other), { rest: [other] });
  }
  const y = pool.pick((value) => value.dtype === x.dtype && goTogether(condition!, x, value));
  return y && call('where', [condition!, x, y], mf.where as (c: Tensor, a: Tensor, b: Tensor) => Tensor);
}

const DTYPES: readonly DType[] = ['float32', 'int32', 'bool'];

function cast(pool: Pool): Draft | undefined {
  const x = pool.pick(() => true);
  if (x === undefined) return undefined;
  const dtype = pool.dice.of(DTYPES);
  const numbers = Array.from(x.data);
  // Towards zero: there it stays.
  const distances = dtype === 'int32' ? toWhole(numbers.filter((n) => Math.abs(n) > 0.5)) : numbers;
  const decides = x.dtype === 'float32' && dtype !== 'float32';
  if (decides && !pool.decides(distances, x.exact, magnitude(numbers))) return undefined;
  return call('cast', [x], (t) => mf.cast(t, dtype), { rest: [`'${dtype}'`] });
}

function clip(pool: Pool): Draft | undefined {
  const x = pool.float();
  if (x === undefined) return undefined;
  const numbers = Array.from(x.data);
  const distances = numbers.flatMap((n) => [n + 0.5, n - 0.75]);
  return pool.isSmoothAt(distances)
    ? call('clip', [x], (t) => mf.clip(t, -0.5, 0.75), { rest: [-0.5, 0.75] })
    : undefined;
}

function structure(pool: Pool): Draft | undefined {
  const x = pool.float();
  if (x === undefined) return undefined;
  const y = pool.float()!;
  // Differences see through a stopped gradient, so it stands where nothing is differentiated.
  return pool.margins.kink < 0 && pool.dice.oneIn(2)
    ? call('stopGradient', [x], mf.stopGradient)
    : call('optimizationBarrier', [x, y], mf.optimizationBarrier);
}

export const pointwiseOps: readonly ProgramOp[] = [
  programOp('function', 5, functionOf),
  programOp('sign', 4, signs, { decides: true }),
  programOp('arithmetic', 10, arithmetic),
  programOp('div', 2, quotient),
  programOp('pow', 1, power),
  programOp('extreme', 3, extremes),
  programOp('comparison', 3, comparison, { decides: true }),
  programOp('logic', 2, logic),
  programOp('where', 3, selection),
  programOp('cast', 3, cast, { decides: true }),
  programOp('clip', 1, clip),
  programOp('structure', 1, structure),
];
