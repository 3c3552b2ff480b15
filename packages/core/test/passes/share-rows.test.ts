/** What is computed of some rows of a batch is taken from what is computed of all: counted, and compared in value. */
import {
  add,
  attention,
  broadcastTo,
  checkpoint,
  concat,
  constant,
  conv,
  dotGeneral,
  gather,
  gelu,
  hostArray,
  jvp,
  layerNorm,
  matmul,
  mean,
  mul,
  pad,
  reshape,
  reverse,
  silu,
  slice,
  softmax,
  split,
  stopGradient,
  sub,
  sum,
  trace,
  transpose,
  valueAndGrad,
  where,
  type Tensor,
} from '../../src/index.js';
import { interpret, prepare } from '../../src/backend-door.js';
import { expectClose, wave } from '../support/numeric.js';

const inputs = { x: wave([4, 3, 6]), kernel: wave([6, 5], 1), window: wave([2, 3, 3], 2) };
type Inputs = Readonly<Record<keyof typeof inputs, Tensor>>;

const lastTwo = (x: Tensor) =>
  slice(
    x,
    x.shape.map((_, axis) => (axis === 0 ? 2 : 0)),
    x.shape,
  );

/** A constant too large to be written out, made anew at every call. */
const table = () => constant(hostArray(Float32Array.from({ length: 90 }, (_, i) => Math.cos(i))));

/** Heads first, of `[rows, 3, 6]`. */
const heads = (x: Tensor) => transpose(reshape(x, [x.shape[0]!, 3, 2, 3]), [0, 2, 1, 3]);

type Case = readonly [name: string, f: (inputs: Inputs) => Tensor];

const apart: readonly Case[] = [
  ['an op per element', ({ x }) => sum(mul(x, x), [1, 2])],
  ['several, broadcast', ({ x }) => mul(sub(x, mean(x, 2, { keepDims: true })), 3)],
  ['a choice', ({ x }) => where(x.less(0), mul(x, 2), mul(x, x))],
  ['a linear layer', ({ x, kernel }) => matmul(x, kernel)],
  ['one of rows and places together', ({ x, kernel }) => matmul(reshape(x, [-1, 6]), kernel)],
  ['a product of rows with themselves', ({ x }) => matmul(x, transpose(x, [0, 2, 1]))],
  ['one whose transposition is folded', ({ x }) => matmul(mul(heads(x), 2), transpose(heads(x), [0, 1, 3, 2]))],
  ['a right operand', ({ x, kernel }) => dotGeneral(kernel, x, { lhsBatch: [], rhsBatch: [], lhsContracting: [0], rhsContracting: [2] })],
  ['a convolution', ({ x, window }) => conv(x, window)],
  ['rows of a table', ({ x, kernel }) => mul(gather(kernel, x.less(0).cast('int32')), 2)],
  ['softmax', ({ x }) => softmax(x)],
  ['normalisation', ({ x }) => layerNorm(x)],
  ['activations', ({ x }) => gelu(silu(x))],
  ['parts of features', ({ x }) => { const [a, b] = split(x, [2, 4]); return concat([mul(b, b), mul(a, 3)], -1); }],
  ['padding and order of other axes', ({ x }) => mul(pad(reverse(x, [2]), { low: [0, 1, 0] }), 2)],
  ['tokens that all rows share', ({ x, window }) => { const token = reshape(slice(window, [0, 0, 0], [2, 3, 1]), [1, 1, 6]); const shared = broadcastTo(token, [x.shape[0]!, 1, 6]); const pair = concat([shared, mul(shared, 3)], 1); return mul(concat([pair, x, pair], 1), 2); }],
  ['attention', ({ x }) => attention(heads(x), mul(heads(x), 2), heads(x))],
  ['recomputation', ({ x, kernel }) => checkpoint((x: Tensor) => mul(matmul(x, kernel), 2))(x)],
  ['a large table', ({ x }) => mul(add(reshape(x, [-1, 18, 1]), reshape(table(), [1, 18, 5])), 0.5)],
]; // prettier-ignore

const mixed: readonly Case[] = [
  ['a sum over rows', ({ x }) => sum(mul(x, 1), 0)],
  ['rows in the opposite order', ({ x }) => mul(reverse(x, [0]), 2)],
  ['a product over rows', ({ x }) => dotGeneral(x, x, { lhsBatch: [], rhsBatch: [], lhsContracting: [0], rhsContracting: [0] })],
]; // prettier-ignore

function graphsOf(f: Case[1]) {
  const whole = trace((given: Inputs) => ({ whole: f(given) }), inputs).graph;
  const both = trace(
    (given: Inputs) => ({ whole: f(given), rows: f({ ...given, x: lastTwo(given.x) }) }),
    inputs,
  ).graph;
  return { whole, both };
}

const everyKernel = { hasKernel: () => true };

describe.each([
  ['inlined', {}],
  ['composites whole', everyKernel],
])('%s', (_, options) => {
  // One that is kept whole would hold a program, and is known by that alone.
  const found = apart.filter(([name]) => options !== everyKernel || name !== 'recomputation');
  test.each(found)('%s', (_, f) => {
    const { whole, both } = graphsOf(f);
    const prepared = prepare(both, options);
    const [expected, found] = [interpret(both, inputs), interpret(prepared, inputs)];
    expectClose(found['rows']!.data, expected['rows']!.data, 0);
    expectClose(found['whole']!.data, expected['whole']!.data, 0);
    expect(prepared.stats().flops).toBe(prepare(whole, options).stats().flops);
  });

  test.each(mixed)('not of %s', (_, f) => {
    const { both } = graphsOf(f);
    const [expected, found] = [interpret(both, inputs), interpret(prepare(both, options), inputs)];
    expectClose(found['rows']!.data, expected['rows']!.data, 1e-15);
  });
});

test('the slope of some rows is taken from that of all, which comes after it', () => {
  const layer = (x: Tensor) => gelu(mul(x, 2), { approximate: 'tanh' });
  const loss = (x: Tensor) => {
    const value = layer(x);
    const rows = lastTwo(stopGradient(x));
    const [, tangent] = jvp(layer, [rows], [mul(rows, rows)]);
    return [sum(value), { value, tangent }] as const;
  };
  const { graph } = trace(({ x }: Inputs) => {
    const [[, made], gradient] = valueAndGrad(loss, { hasAux: true })(x);
    return { ...made, gradient };
  }, inputs);
  const prepared = prepare(graph, { without: ['fuse'] });
  const expected = interpret(graph, inputs);
  const found = interpret(prepared, inputs);
  for (const name of ['value', 'tangent', 'gradient'])
    expectClose(found[name]!.data, expected[name]!.data, 0);
  // Of the rows that the tangent is of, nothing is left to do but to make its tangent, double it and multiply it by the slope.
  const ofSome = prepared.instructions.filter(({ outputs }) => prepared.types[outputs[0]!]!.shape[0] === 2);
  expect(ofSome.map(({ op }) => op).sort()).toEqual(['mul', 'mul', 'mul', 'slice', 'slice']);
});

test('without the pass rows are computed twice', () => {
  for (const [, f] of apart) {
    const { whole, both } = graphsOf(f);
    const without = { without: ['shareRows'] } as const;
    expect(prepare(both, without).stats().flops).toBeGreaterThan(prepare(whole, without).stats().flops);
  }
});
