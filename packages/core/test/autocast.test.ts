/** autocast: what is computed in float16, that types stay, and that gradients pass through checkpoints. */
import {
  autocast,
  checkpoint,
  hostArray,
  jvp,
  layerNorm,
  matmul,
  relu,
  softmax,
  spec,
  trace,
  valueAndGrad,
  type Graph,
  type Tensor,
} from '../src/index.js';
import { interpret, prepare } from '../src/backend-door.js';

/** Dtypes of the results of an op. */
const dtypesOf = (graph: Graph, op: string) =>
  graph.instructions.filter((each) => each.op === op).map(({ outputs }) => graph.types[outputs[0]!].dtype);

const weights = spec([4, 4]);

test('products are in float16, softmax and norms in float32, and the result is what it was', () => {
  const f = autocast((x: Tensor, w: Tensor) => softmax(matmul(layerNorm(x), w).add(1)));
  const { graph } = trace(({ x, w }: { x: Tensor; w: Tensor }) => f(x, w), { x: spec([2, 4]), w: weights });
  const prepared = prepare(graph);
  expect(dtypesOf(prepared, 'dotGeneral')).toEqual(['float16']);
  expect(dtypesOf(prepared, 'add')).toContain('float16');
  expect(
    new Set([
      ...dtypesOf(prepared, 'exp'),
      ...dtypesOf(prepared, 'rsqrt'),
      ...dtypesOf(prepared, 'reduceSum'),
    ]),
  ).toEqual(new Set(['float32']));
  expect(graph.types[graph.outputs[0]!.value].dtype).toBe('float32');
});

test('a number that float16 does not have, and a square, are computed in float32', () => {
  const f = autocast((x: Tensor) => {
    const y = matmul(x, x);
    return y.mul(1e-9).add(y.mul(y));
  });
  expect(dtypesOf(trace(f, weights).graph, 'mul')).toEqual(['float32', 'float32']);
});

const network = (x: Tensor, w: Tensor) => matmul(relu(matmul(x, w)), w);
const x = hostArray([
  [0.5, -1, 0.25, 2],
  [1, 0.75, -0.5, 0.125],
]);
const w = hostArray([
  [0.3, -0.2, 0.1, 0.4],
  [0.7, 0.1, -0.6, 0.2],
  [-0.5, 0.9, 0.3, 0.1],
  [0.2, 0.2, 0.8, -0.3],
]);

test('gradients and tangents are those of float32 to the digits of float16, through a checkpoint too', () => {
  const steps = [
    network,
    autocast(network),
    autocast(checkpoint(network)),
    checkpoint(autocast(network)),
  ].map((f) => {
    const step = ({ x, w }: { x: Tensor; w: Tensor }) => {
      const [loss, gradient] = valueAndGrad((at: Tensor) => f(x, at).square().sum())(w);
      const [, tangent] = jvp((at: Tensor) => f(at, w), [x], [1]);
      return { loss, gradient, tangent };
    };
    const { graph } = trace(step, { x: spec([2, 4]), w: weights });
    return { graph, results: interpret(graph, { x, w }) };
  });
  const [exact, ...halves] = steps;
  for (const { graph, results } of halves) {
    expect(dtypesOf(prepare(graph), 'dotGeneral').every((dtype) => dtype === 'float16')).toBe(true);
    for (const [name, { data }] of Object.entries(results)) {
      const expected = exact!.results[name]!.data;
      data.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(0.01));
      expect([...data]).not.toEqual([...expected]);
    }
  }
});

test('a checkpoint stays one', () => {
  const { graph } = trace(autocast(checkpoint((y: Tensor) => matmul(y, y))), weights);
  expect(graph.stats().ops).toMatchObject({ checkpoint: 1 });
});
