/** The functions that are made of several primitives, and the methods of Tensor, against their definitions. */
import {
  add,
  clip,
  concat,
  constant,
  einsum,
  expandDims,
  full,
  grad,
  max,
  mean,
  min,
  mul,
  notEqual,
  oneHot,
  relu,
  greaterEqual,
  sigmoid,
  split,
  sum,
  trace,
  transpose,
  type Tensor,
} from '../src/index.js';
import { interpret } from '../src/backend-door.js';
import { normalizeAxis } from '../src/functions/axes.js';
import { evaluate, expectClose, floats, ints, positiveWave, wave } from './support/numeric.js';

const x23 = floats([1, -2, 3, -4, 5, -6], [2, 3]);

describe('functions', () => {
  it('mean divides by the number of elements', () => {
    expect(evaluate((x) => mean(x), [x23]).item()).toBeCloseTo(-0.5, 15);
    expectClose(evaluate((x) => mean(x, -1), [x23]).data, [2 / 3, -5 / 3], 1e-15);
    expect(evaluate((x) => mean(x, 0, { keepDims: true }), [x23]).shape).toEqual([1, 3]);
    expect(evaluate((x) => mean(x), [wave([0])]).item()).toBeNaN();
  });

  it('min, relu and clip', () => {
    expect([...evaluate((x) => min(x, 1), [x23]).data]).toEqual([-2, -6]);
    expect([...evaluate(relu, [x23]).data]).toEqual([1, 0, 3, 0, 5, 0]);
    expect([...evaluate((x) => clip(x, -3, 2), [x23]).data]).toEqual([1, -2, 2, -3, 2, -3]);
  });

  it('ties share the derivative', () => {
    const tied = floats([2, 2, 1]);
    expectClose(evaluate((x) => grad((t: Tensor) => max(t))(x), [tied]).data, [0.5, 0.5, 0]);
    expectClose(evaluate((x) => grad((t: Tensor) => sum(clip(t, 1, 2)))(x), [tied]).data, [0.5, 0.5, 0.5]);
  });

  it('comparisons that are others turned round', () => {
    expect([...evaluate((x) => greaterEqual(x, -2), [x23]).data]).toEqual([1, 1, 1, 0, 1, 0]);
    expect([...evaluate((x) => notEqual(x, 5), [x23]).data]).toEqual([1, 1, 1, 1, 0, 1]);
  });

  it('split cuts along an axis, and concat puts together again', () => {
    const parts = (x: Tensor) => split(x, [1, 0, 2]);
    expect([...evaluate((x) => parts(x)[2], [x23]).data]).toEqual([-2, 3, 5, -6]);
    expect(evaluate((x) => parts(x)[1], [x23]).shape).toEqual([2, 0]);
    expect([...evaluate((x) => concat(parts(x), 1), [x23]).data]).toEqual([...x23.data]);
    expect([...evaluate((x) => split(x, [1, 1], 0)[1], [x23]).data]).toEqual([-4, 5, -6]);
  });

  it('expandDims counts from either end', () => {
    expect(evaluate((x) => expandDims(x, 0), [x23]).shape).toEqual([1, 2, 3]);
    expect(evaluate((x) => expandDims(x, -1), [x23]).shape).toEqual([2, 3, 1]);
    expect(normalizeAxis(-1, 3)).toBe(2);
  });

  it('oneHot, with nothing for indices that no class has', () => {
    const value = evaluate((i) => oneHot(i, 3), [ints([2, 0, 3, -1], [2, 2])]);
    expect([value.shape, [...value.data]]).toEqual([
      [2, 2, 3],
      [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    ]);
  });

  it("full and scalars become constants of the other operand's dtype", () => {
    expect([...evaluate((i) => add(mul(i, 2), full([2], 1, 'int32')), [ints([3, 4])]).data]).toEqual([7, 9]);
    expect(evaluate(() => add(1, 2), []).item()).toBe(3);
  });

  it.each([
    ['ij,jk->ik', [2, 3], [3, 4]],
    ['ij,jk->ki', [2, 3], [3, 4]],
    ['ij,kj->ik', [2, 3], [4, 3]],
    ['bij,bjk->bik', [2, 3, 4], [2, 4, 2]],
    ['ibj,jkb->kbi', [3, 2, 4], [4, 2, 2]],
    ['i,j->ij', [2], [3]],
    ['i,i->', [3], [3]],
    ['i,i->i', [3], [3]],
    ['bhqd,bhkd->bhqk', [1, 2, 3, 2], [1, 2, 2, 2]],
  ])('einsum %s', (equation, left, right) => {
    const [a, b] = [wave(left), wave(right, 1)];
    const [lhs, rhs, out] = equation.split(/,|->/).map((letters) => [...letters]);
    const sizes = new Map([
      ...lhs.map((l, i) => [l, left[i]] as const),
      ...rhs.map((l, i) => [l, right[i]] as const),
    ]);
    const shape = out.map((letter) => sizes.get(letter)!);
    // The definition: the sum over every assignment of the letters.
    const expected = new Map<string, number>();
    const assign = (letters: string[], at: Record<string, number>): void => {
      if (letters.length > 0) {
        for (let i = 0; i < sizes.get(letters[0])!; i++) assign(letters.slice(1), { ...at, [letters[0]]: i });
        return;
      }
      const flat = (names: string[], dims: readonly number[]) =>
        names.reduce((total, l, i) => total * dims[i] + at[l], 0);
      const key = String(flat(out, shape));
      expected.set(key, (expected.get(key) ?? 0) + a.data[flat(lhs, left)] * b.data[flat(rhs, right)]);
    };
    assign([...sizes.keys()], {});
    const value = evaluate((x, y) => einsum(equation, x, y), [a, b]);
    expect(value.shape).toEqual(shape);
    expectClose(
      value.data,
      Array.from(value.data, (_, i) => expected.get(String(i))!),
      1e-14,
    );
  });
});

describe('methods', () => {
  const chained = (x: Tensor, y: Tensor) =>
    x.add(y).sub(0.5).mul(x).div(y).pow(2).neg().square().add(1).sqrt().log().exp().cast('float32');
  const plain = (a: number, b: number) => Math.sqrt(((((a + b - 0.5) * a) / b) ** 2) ** 2 + 1);

  it('mean what the functions mean', () => {
    const [a, b] = [wave([2, 3]), positiveWave([3])];
    const expected = Array.from(a.data, (value, i) => plain(value, b.data[i % 3]));
    expectClose(evaluate(chained, [a, b]).data, expected, 1e-14);
  });

  it('reduce and move as the functions do', () => {
    const { graph } = trace(
      (x: Tensor) => ({
        sum: x.sum(0),
        mean: x.mean(1, { keepDims: true }),
        max: x.max(),
        shape: x.reshape([-1]).broadcastTo([2, 6]),
        product: x.matmul(x.transpose()),
        rank: constant(x.rank),
        again: transpose(x.transpose([1, 0])).sub(sigmoid(x)),
      }),
      x23,
    );
    const out = interpret(graph, { input: x23 });
    const shapes = Object.fromEntries(Object.entries(out).map(([name, { shape }]) => [name, shape]));
    expect(shapes).toEqual({
      sum: [3],
      mean: [2, 1],
      max: [],
      shape: [2, 6],
      product: [2, 2],
      rank: [],
      again: [2, 3],
    });
    expect([...out['product'].data]).toEqual([14, -32, -32, 77]);
    expect([out['max'].item(), out['rank'].item()]).toEqual([5, 2]);
  });

  it('print their type', () => {
    expect(`${constant([[1, 2]])}`).toBe('Tensor float32[1, 2]');
  });
});
