/** The rewrite rules one by one: what remains, that the value is kept at special points too, and what must not happen. */
import {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  constant,
  div,
  dotGeneral,
  equal,
  exp,
  full,
  iota,
  jvp,
  logicalNot,
  matmul,
  mean,
  mul,
  neg,
  pad,
  pow,
  reshape,
  reverse,
  sin,
  slice,
  spec,
  square,
  stopGradient,
  sub,
  sum,
  trace,
  transpose,
  valueAndGrad,
  type HostArray,
  type Tensor,
} from '../src/index.js';
import { interpret, prepare, simplify } from '../src/backend-door.js';
import {
  expectClose,
  floats,
  graphOf,
  ints,
  runGraph,
  wave,
  type TensorFunction,
} from './support/numeric.js';

const special = floats([0, -0, 1, -1, 1e300, -1e300, 1e-320, Infinity, -Infinity, NaN], [2, 5]);
const v5 = floats([1, -2, Infinity, 0, NaN]);

/** Op counts after simplification, once values were seen to be kept. */
function opsOf(f: TensorFunction, inputs: readonly HostArray[]): Record<string, number> {
  const graph = graphOf(f, inputs);
  const simple = simplify(graph);
  expectClose(runGraph(simple, inputs).data, runGraph(graph, inputs).data, 1e-15);
  return { ...simple.stats().ops };
}

const i4 = ints([3, -4, 2 ** 31 - 1, -(2 ** 31)]);
const x234 = wave([2, 3, 4]);

describe('what is left of', () => {
  it.each<[name: string, f: TensorFunction, inputs: readonly HostArray[], ops: Record<string, number>]>([
    ['x + 0', (x) => add(x, 0), [special], {}],
    ['0 + x', (x) => add(0, x), [special], {}],
    ['x + zeros of its shape', (x) => add(x, full([2, 5], 0)), [special], {}],
    ['x + zeros of a larger shape', (x) => add(x, full([3, 2, 5], 0)), [special], { broadcastTo: 1 }],
    ['x − 0', (x) => sub(x, 0), [special], {}],
    ['0 − x', (x) => sub(0, x), [special], { neg: 1 }],
    ['x · 1', (x) => mul(x, 1), [special], {}],
    ['1 · x', (x) => mul(1, x), [special], {}],
    ['x · −1', (x) => mul(x, -1), [special], { neg: 1 }],
    ['x · 0, which is NaN where x is infinite', (x) => mul(x, 0), [special], { constant: 1, mul: 1 }],
    ['x / 1', (x) => div(x, 1), [special], {}],
    ['x − x, which is NaN where x is infinite', (x) => sub(x, x), [special], { sub: 1 }],
    ['x + (−y)', (x, y) => add(x, neg(y)), [special, v5], { sub: 1 }],
    ['(−x) + y', (x, y) => add(neg(x), y), [special, v5], { sub: 1 }],
    ['x − (−y)', (x, y) => sub(x, neg(y)), [special, v5], { add: 1 }],
    ['−(x − y)', (x, y) => neg(sub(x, y)), [special, v5], { sub: 1 }],
    ['−(−x)', (x) => neg(neg(x)), [special], {}],
    ['not not c', (x) => cast(logicalNot(logicalNot(equal(x, 1))), 'float32'), [special], { constant: 1, equal: 1, cast: 1 }],
    ['2 · (3 · x)', (x) => mul(2, mul(x, 3)), [special], { constant: 1, mul: 1 }],
    ['−(3 · x)', (x) => neg(mul(x, 3)), [special], { constant: 1, mul: 1 }],
    ['3 · (−x)', (x) => mul(3, neg(x)), [special], { constant: 1, mul: 1 }],
    ['(−x) · constants', (x) => mul(neg(x), constant([1, 2, 3, 4, 5])), [special], { constant: 1, mul: 1 }],
    ['(−x) · constants too many to fold', (x) => mul(neg(x), constant(wave([5000]))), [wave([5000])], { neg: 1, constant: 1, mul: 1 }],
    ['a product of ones in another shape', (x) => mul(x, constant([[1]])), [special], {}],
    ['constants of one element merge as scalars do', (x) => mul(constant([[2]]), mul(constant([3]), x)), [special], { constant: 1, mul: 1 }],
    ['x + 0 for integers', (x) => add(x, 0), [i4], {}],
    ['x · −1 for integers', (x) => mul(x, -1), [i4], { neg: 1 }],
    ['−(3 · x) for integers', (x) => neg(mul(x, 3)), [i4], { constant: 1, mul: 1 }],

    ['a sum of sums', (x) => sum(sum(x, 1), 0), [x234], { reduceSum: 1 }],
    ['a sum of a sum that is used twice', (x) => { const s = sum(x, 1); return add(sum(s), s); }, [x234], { reduceSum: 2, add: 1 }],
    ['a sum over axes of size 1', (x) => sum(x, [0, 2]), [wave([1, 3, 1])], { reshape: 1 }],
    ['a sum of repetitions', (x) => sum(broadcastTo(x, [4, 5]), 0), [v5], { constant: 1, mul: 1 }],
    ['a sum of repetitions along all axes', (x) => sum(broadcastTo(x, [4, 5])), [floats([3], [1, 1])], { reshape: 1, constant: 1, mul: 1 }],
    ['a sum of repetitions and others', (x) => sum(broadcastTo(x, [4, 5])), [wave([5])], { broadcastTo: 1, reduceSum: 1 }],
    ['a sum of no repetitions', (x) => sum(broadcastTo(x, [0, 5]), 0), [v5], { broadcastTo: 1, reduceSum: 1 }],
    ['a sum of integer repetitions, wrapping around', (x) => sum(broadcastTo(x, [4, 4]), 0), [i4], { constant: 1, mul: 1 }],
    ['a sum of negated numbers', (x) => sum(neg(x), 0), [wave([4, 5])], { reduceSum: 1, neg: 1 }],

    ['reshape of reshape', (x) => reshape(reshape(x, [24]), [6, 4]), [x234], { reshape: 1 }],
    ['reshape there and back', (x) => reshape(reshape(x, [24]), [2, 3, 4]), [x234], {}],
    ['reshape of one element repeated', (x) => reshape(broadcastTo(x, [2, 3]), [6]), [floats([2], [1])], { reshape: 1, broadcastTo: 1 }],
    ['reshape of a constant repeated', () => reshape(full([2, 3], 2), [6]), [], { constant: 1, broadcastTo: 1 }],
    ['reshape of something repeated to nothing', (x) => reshape(broadcastTo(x, [0, 2]), [3, 0]), [floats([NaN], [1, 1])], { reshape: 1, broadcastTo: 1 }],
    ['transpose of transpose', (x) => transpose(transpose(x, [2, 0, 1]), [1, 2, 0]), [x234], {}],
    ['transpose of one element repeated', () => transpose(full([2, 3], 2)), [], { constant: 1, broadcastTo: 1 }],
    ['transpose that moves axes of size 1 only', (x) => transpose(x, [1, 0, 2]), [wave([1, 3, 4])], { reshape: 1 }],
    ['broadcastTo of broadcastTo', (x) => broadcastTo(broadcastTo(x, [2, 5]), [3, 2, 5]), [v5], { broadcastTo: 1 }],
    ['broadcastTo its own shape', (x) => broadcastTo(x, [5]), [v5], {}],
    ['slice of everything', (x) => slice(x, [0], [5], [1]), [v5], {}],
    ['pad by nothing', (x) => pad(x, { interior: [7] }), [wave([1])], {}],
    ['concat of one', (x) => concat([x]), [v5], {}],
    ['concat of concat', (x) => concat([x, concat([neg(x), x])]), [v5], { neg: 1, concat: 1 }],
    ['concat of a concat that is used twice', (x) => { const c = concat([x, x]); return add(sum(concat([c, x])), c); }, [wave([2])], { concat: 2, reduceSum: 1, add: 1 }],
    ['concat of concat along another axis', (x) => concat([concat([x, x], 0), concat([x, x], 0)], 1), [wave([2, 3])], { concat: 2 }],
    ['sum of neighbouring parts', (x, y) => add(pad(x, { high: [0, 2] }), pad(y, { low: [0, 3] })), [wave([2, 3]), wave([2, 2])], { concat: 1 }],
    ['sum of three parts, the last first', (x, y) => add(add(pad(y, { low: [4] }), pad(x, { low: [2], high: [2] })), pad(x, { high: [4] })), [wave([2]), wave([2])], { concat: 1 }],
    ['sum of parts within a larger whole', (x, y) => add(pad(y, { low: [3], high: [1] }), pad(x, { low: [1], high: [3] })), [wave([2]), wave([2])], { concat: 1, pad: 1 }],
    ['sum of parts with a gap between them', (x, y) => add(pad(x, { high: [3] }), pad(y, { low: [3] })), [wave([2]), wave([2])], { pad: 2, add: 1 }],
    ['sum of parts that overlap', (x, y) => add(pad(x, { high: [1] }), pad(y, { low: [1] })), [wave([2]), wave([2])], { pad: 2, add: 1 }],
    ['sum of parts in opposite corners', (x, y) => add(pad(x, { high: [2, 2] }), pad(y, { low: [2, 2] })), [wave([2, 2]), wave([2, 2])], { pad: 2, add: 1 }],
    ['sum of parts with gaps inside', (x, y) => add(pad(x, { high: [2], interior: [1] }), pad(y, { low: [3] })), [wave([2]), wave([2])], { pad: 2, add: 1 }],
    ['sum of parts that are used again', (x, y) => { const p = pad(x, { high: [2] }); return mul(add(p, pad(y, { low: [2] })), p); }, [wave([2]), wave([2])], { pad: 2, add: 1, mul: 1 }],
    ['concat with nothing', (x, y) => concat([y, x, y]), [v5, wave([0])], {}],
    ['reverse of one element', (x) => reverse(x, [0]), [wave([1, 3])], {}],
    ['a cast to its own dtype', (x) => cast(x, 'float32'), [v5], {}],
    ['stopGradient of stopGradient', (x) => stopGradient(stopGradient(x)), [v5], { stopGradient: 1 }],

    ['an operand that was repeated to fit', (x, y) => add(broadcastTo(x, [2, 5]), y), [v5, special], { add: 1 }],
    ['operands that were all repeated', (x, y) => add(broadcastTo(x, [2, 5]), broadcastTo(y, [2, 5])), [v5, wave([5])], { add: 1, broadcastTo: 1 }],
    ['operands repeated along different axes', (x, y) => add(broadcastTo(x, [2, 5]), broadcastTo(y, [2, 5])), [v5, wave([2, 1])], { add: 1 }],
    ['a function of something repeated', (x) => exp(broadcastTo(x, [2, 5])), [v5], { exp: 1, broadcastTo: 1 }],
    ['a function of something repeated to nothing', (x) => exp(broadcastTo(x, [0, 5])), [v5], { exp: 1, broadcastTo: 1 }],
    ['something repeated from axes of size 1', (x, y) => mul(broadcastTo(x, [3, 5]), y), [wave([3, 1]), wave([1, 1])], { mul: 1, broadcastTo: 1 }],

    ['a product of a transposed matrix', (x, y) => matmul(transpose(x), y), [wave([3, 2]), wave([3, 4])], { dotGeneral: 1 }],
    ['a transposed product', (x, y) => transpose(matmul(x, y)), [wave([2, 3]), wave([3, 4])], { dotGeneral: 1 }],
    ['a transposed product with batch axes', (x, y) => transpose(matmul(x, y), [0, 2, 1]), [wave([2, 3, 4]), wave([2, 4, 5])], { dotGeneral: 1 }],
    ['a product whose batch axes are moved too', (x, y) => transpose(matmul(x, y), [2, 1, 0]), [wave([2, 3, 4]), wave([2, 4, 5])], { dotGeneral: 1, transpose: 1 }],
    ['a product of an operand whose free axes are exchanged', (x, y) => dotGeneral(transpose(x, [1, 0, 2]), y, { lhsBatch: [], rhsBatch: [], lhsContracting: [2], rhsContracting: [0] }), [x234, wave([4, 2])], { dotGeneral: 1, transpose: 1 }],

    ['what is computed twice', (x, y) => add(mul(x, y), sin(mul(y, x))), [special, v5], { mul: 1, sin: 1, add: 1 }],
    ['what only looks the same', (x) => add(sum(x, 0), sum(x, 1)), [wave([3, 3])], { reduceSum: 2, add: 1 }],
    ['what nobody needs', (x) => { exp(sin(x)); return x; }, [special], {}],
    ['constants among themselves', (x) => add(x, mul(sin(constant(2)), constant([1, 2, 3, 4, 5]))), [special], { constant: 1, add: 1 }],
    ['integers among themselves, wrapping around', (x) => add(x, mul(add(constant(2 ** 31 - 1, 'int32'), 1), 3)), [i4], { constant: 1, add: 1 }],
    ['constants of different dtypes', (x) => add(cast(add(cast(x, 'int32'), 1), 'float32'), 1), [wave([3])], { constant: 2, cast: 2, add: 2 }],
    ['equal constants', (x) => add(mul(x, constant([2, 3])), constant([2, 3])), [wave([2])], { constant: 1, mul: 1, add: 1 }],
    ['constants that differ by the sign of zero', (x) => add(div(x, constant([0, 1])), div(x, constant([-0, 1]))), [wave([2], 1)], { constant: 2, div: 2, add: 1 }],
    ['coordinates, which are cheaper to make than to keep', (x) => add(x, iota([5], 0, 'float32')), [v5], { iota: 1, add: 1 }],
  ])('%s', (_, f, inputs, ops) => {
    expect(opsOf(f, inputs)).toEqual(ops);
  }); // prettier-ignore
});

describe('constant factors', () => {
  it('do not merge to more than float32 holds, where the operand would have saved them', () => {
    const x = floats([1e-30, 0]);
    expect(opsOf((t) => mul(1e30, mul(1e30, t)), [x])).toEqual({ constant: 1, mul: 2 });
    expect(opsOf((t) => mul(1e-30, mul(1e-30, t)), [floats([1e30])])).toEqual({ constant: 1, mul: 2 });
  });

  it('keep their inner product when others use it', () => {
    const f = (t: Tensor) => { const inner = mul(t, 3); return add(mul(2, inner), sin(inner)); }; // prettier-ignore
    expect(opsOf(f, [wave([3])])).toMatchObject({ mul: 2 });
  });
});

describe('folding', () => {
  it('leaves large constants alone', () => {
    const f = (x: Tensor) => add(x, sin(constant(wave([5000]))));
    expect(opsOf(f, [wave([5000])])).toEqual({ constant: 1, sin: 1, add: 1 });
  });
});

describe('NaN and infinities', () => {
  const special = floats([NaN, Infinity, -Infinity, 0, 1]);
  it.each<[string, (x: Tensor) => Tensor, number[]]>([
    ['0 · x', (x) => mul(x, 0), [NaN, NaN, NaN, 0, 0]],
    ['x − x', (x) => sub(x, x), [NaN, NaN, NaN, 0, 0]],
    ['x / x', (x) => div(x, x), [NaN, NaN, NaN, NaN, 1]],
    ['0 / x', (x) => div(0, x), [NaN, 0, -0, NaN, 0]],
    ['−x + x', (x) => add(neg(x), x), [NaN, NaN, NaN, 0, 0]],
    ['x + 0', (x) => add(x, 0), [NaN, Infinity, -Infinity, 0, 1]],
    ['x · 2 · 0.5', (x) => mul(mul(x, 2), 0.5), [NaN, Infinity, -Infinity, 0, 1]],
    ['Σ 0 · x', (x) => broadcastTo(sum(mul(x, 0)), [5]), [NaN, NaN, NaN, NaN, NaN]],
    ['x⁰', (x) => pow(x, constant(0)), [1, 1, 1, 1, 1]],
  ])('are not lost in %s', (_, f, expected) => {
    const value = runGraph(prepare(graphOf(f, [special])), [special]);
    expect([...value.data].map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
  });
});

describe('a graph for later derivatives', () => {
  it('keeps stopGradient until it is prepared', () => {
    const graph = graphOf((x) => mul(x, stopGradient(abs(x))), [wave([3])]);
    expect(simplify(graph).stats().ops).toEqual({ abs: 1, stopGradient: 1, mul: 1 });
    expect(prepare(graph).stats().ops).toEqual({ abs: 1, mul: 1 });
  });

  it('keeps inputs and outputs by name, also when they coincide', () => {
    const { graph } = trace(
      ({ a, b }: { a: Tensor; b: Tensor }) => ({ same: a, also: add(a, 0), one: constant(1), unused: b }),
      { a: spec([2]), b: spec([]) },
    );
    const simple = simplify(graph);
    expect(simple.inputs.map(({ name }) => name)).toEqual(['a', 'b']);
    const out = interpret(simple, { a: floats([1, 2]), b: floats([3], []) });
    expect(Object.fromEntries(Object.entries(out).map(([name, { data }]) => [name, [...data]]))).toEqual({
      also: [1, 2],
      one: [1],
      same: [1, 2],
      unused: [3],
    });
  });
});

it('a deep network of 20,000 instructions is traced, differentiated and prepared without recursion', () => {
  const graph = graphOf(
    (x) => {
      const [value, gradient] = valueAndGrad((t: Tensor) => {
        for (let i = 0; i < 5000; i++) t = sin(t);
        return sum(t);
      })(x);
      return add(gradient, value);
    },
    [wave([2])],
  );
  const ops = prepare(graph).stats().ops;
  expect([ops['sin'], ops['cos']]).toEqual([5000, 5000]);
});

it('a MeanFlow step computes each product once, and its derivative adds no backward work', () => {
  const step = (w1: Tensor, w2: Tensor, z: Tensor, v: Tensor) => {
    const network = (p: { w1: Tensor; w2: Tensor }) => (t: Tensor) => matmul(sin(matmul(t, p.w1)), p.w2);
    const [loss, gradient] = valueAndGrad((p: { w1: Tensor; w2: Tensor }) => {
      const [u, du] = jvp(network(p), [z], [v]);
      return mean(square(sub(u, stopGradient(sub(v, du)))));
    })({ w1, w2 });
    return add(loss, add(sum(gradient.w1), sum(gradient.w2)));
  };
  const graph = graphOf(step, [wave([2, 4]), wave([4, 2]), wave([3, 2]), wave([3, 2], 1)]);
  // Two layers: two products forward, two for the tangent, two for the weights' gradients, one between the layers.
  expect(prepare(graph).stats().ops['dotGeneral']).toBe(7);
});
