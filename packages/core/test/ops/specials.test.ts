/** What ops make of special numbers, against JAX (data/specials.py): powers, conversions, NaNs, indices out of range. */
import { readFileSync } from 'node:fs';
import {
  argMax,
  cast,
  constant,
  gather,
  grad,
  hostArray,
  jvp,
  less,
  max,
  min,
  pow,
  relu,
  scatterAdd,
  softmax,
  sum,
  trace,
  vjp,
  type HostArray,
  type Shape,
  type Tensor,
} from '../../src/index.js';
import { interpret, prepare } from '../../src/backend-door.js';
import { evaluate, floats, ints, type TensorFunction } from '../support/numeric.js';

/** Numbers as Python prints them, a space between each two. */
type Numbers = string;
const jax = JSON.parse(readFileSync(new URL('../data/specials.json', import.meta.url), 'utf8')) as {
  readonly pow: Record<'bases' | 'exponents' | 'value', Numbers>;
  readonly cast: Record<'x' | 'value', Numbers>;
  readonly rows: Record<'x' | 'argMax' | 'max' | 'min' | 'softmax', Numbers> & { readonly columns: number };
  readonly gather: Record<
    'table' | 'indices' | 'float32' | 'int32' | 'bool' | 'tangent' | 'gradient',
    Numbers
  >;
  readonly scatterAdd: Record<'updates' | 'value' | 'gradient', Numbers>;
  readonly relu: Record<'x' | 'value' | 'gradient', Numbers>;
};

const spoken: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };
const numbers = (list: Numbers): number[] => list.split(' ').map((text) => spoken[text] ?? Number(text));
const array = (list: Numbers, shape?: Shape) => floats(numbers(list), shape);

function expectSame(f: TensorFunction, inputs: readonly HostArray[], expected: Numbers): void {
  expect([...evaluate(f, inputs).data]).toEqual(numbers(expected));
}

/** Zeros without their sign, which a reduction or a product may change. */
function expectEqual(f: TensorFunction, inputs: readonly HostArray[], expected: Numbers): void {
  expect([...evaluate(f, inputs).data].map((x) => x + 0)).toEqual(numbers(expected).map((x) => x + 0));
}

test('pow of each with each, the signs of zeros included', () => {
  const value = evaluate(pow, [array(jax.pow.bases), array(jax.pow.exponents)]);
  const wanted = numbers(jax.pow.value);
  // JavaScript's power may be off by an ulp.
  const isClose = (x: number, y: number) => Math.abs(x - y) <= 2 ** -52 * Math.abs(y) && y !== 0;
  expect([...value.data].map((x, i) => (isClose(x, wanted[i]) ? wanted[i] : x))).toEqual(wanted);
});

test('cast to int32, on the device and on the host', () => {
  expectSame((x) => cast(x, 'int32'), [array(jax.cast.x)], jax.cast.value);
  const values = numbers(jax.cast.value);
  expect([...array(jax.cast.x).to('int32').data]).toEqual(values);
  expect([...hostArray(numbers(jax.cast.x), { dtype: 'int32' }).data]).toEqual(values);
});

test.each(['argMax', 'max', 'min', 'softmax'] as const)(
  '%s of rows with NaNs, infinities and ties',
  (name) => {
    const reduce = { argMax, max: (x: Tensor) => max(x, 1), min: (x: Tensor) => min(x, 1), softmax }[name];
    const { x, columns, [name]: expected } = jax.rows;
    const value = evaluate((t) => reduce(t), [array(x, [x.split(' ').length / columns, columns])]);
    numbers(expected).forEach((wanted, i) => {
      if (Number.isFinite(wanted)) expect(value.data[i]).toBeCloseTo(wanted, 14);
      else expect(value.data[i]).toBe(wanted);
    });
  },
);

test('min and max of int32 at its ends, and of nothing', () => {
  const ends = ints([-(2 ** 31), 3, 2 ** 31 - 1]);
  expect(evaluate((x) => min(x), [ends]).item()).toBe(-(2 ** 31));
  expect(evaluate((x) => max(x), [ends]).item()).toBe(2 ** 31 - 1);
  expect(evaluate((x) => min(x), [ints([2 ** 31 - 1])]).item()).toBe(2 ** 31 - 1);
  expect(evaluate((x) => min(x), [ints([])]).item()).toBe(2 ** 31 - 1);
  expect(evaluate((x) => min(x), [floats([])]).item()).toBe(Infinity);
});

describe('indices that name no row', () => {
  const indices = ints(numbers(jax.gather.indices));
  const table = array(jax.gather.table, [3, 2]);
  const updates = array(jax.scatterAdd.updates, [indices.size, 2]);

  test('gather fills', () => {
    expectSame(gather, [table, indices], jax.gather.float32);
    expectSame(gather, [table.to('int32'), indices], jax.gather.int32);
    expectSame((t, i) => gather(less(3, t), i), [table, indices], jax.gather.bool);
    expectSame(gather, [floats([], [0, 2]), ints([0])], 'nan nan');
  });

  test('its derivatives take a missing row for a constant', () => {
    expectSame((t, i) => jvp((x: Tensor) => gather(x, i), [t], [t])[1], [table, indices], jax.gather.tangent);
    const pulled = (t: Tensor, i: Tensor, c: Tensor) => vjp((x: Tensor) => gather(x, i), [t])[1](c)[0];
    expectSame(pulled as TensorFunction, [table, indices, updates], jax.gather.gradient);
  });

  test('scatterAdd drops', () => {
    expectSame((u, i) => scatterAdd(u, i, 3), [updates, indices], jax.scatterAdd.value);
    const pulled = (u: Tensor, i: Tensor, c: Tensor) => vjp((x: Tensor) => scatterAdd(x, i, 3), [u])[1](c)[0];
    expectSame(pulled as TensorFunction, [updates, indices, table], jax.scatterAdd.gradient);
    const unruly = evaluate((u, i) => scatterAdd(u, i, 2), [floats([NaN, 1, Infinity]), ints([-1, 1, 2])]);
    expect([...unruly.data]).toEqual([0, 1]);
  });

  test('constants are folded to what they are computed as', () => {
    const { graph } = trace(() => gather(constant([1, 2]), constant([2, 1, -1], 'int32')), {});
    const prepared = prepare(graph);
    expect(prepared.instructions.map(({ op }) => op)).toEqual(['constant']);
    expect([...interpret(prepared, {}).output.data]).toEqual([NaN, 2, NaN]);
  });
});

test('relu and its derivative, which is 0 at 0', () => {
  expectEqual(relu, [array(jax.relu.x)], jax.relu.value);
  expectEqual((x) => grad((y: Tensor) => sum(relu(y)))(x), [array(jax.relu.x)], jax.relu.gradient);
});
