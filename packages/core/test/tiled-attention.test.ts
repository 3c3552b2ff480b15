/** Attention in tiles: the numbers of whole attention, in memory linear in tokens, whatever order a runtime takes. */
import {
  attention,
  autocast,
  grad,
  jvp,
  mul,
  spec,
  square,
  stopGradient,
  sum,
  trace,
  vjp,
  type Graph,
  type Tensor,
} from '../src/index.js';
import { prepare } from '../src/backend-door.js';
import {
  checkDerivatives,
  evaluate,
  expectClose,
  graphOf,
  wave,
  type TensorFunction,
} from './support/numeric.js';
import { depthFirst } from './support/orders.js';

const inputs = [wave([2, 2, 5, 3]), wave([2, 2, 7, 3], 1), wave([2, 2, 7, 3], 2)];
const directions = inputs.map(({ shape }, i) => wave(shape, 3 + i));
const of =
  (tile: number): TensorFunction =>
  (q, k, v) =>
    attention(q, k, v, { tile });

describe.each([1, 2, 4])('in tiles of %d of 5 queries', (tile) => {
  it('has the value of the whole', () => {
    expectClose(evaluate(of(tile), inputs).data, evaluate(of(5), inputs).data, 1e-14);
  });

  it('has the tangent of the whole, whichever operands move', () => {
    for (const moving of [[0, 1, 2], [0], [1], [2], [0, 2]]) {
      const tangent = (f: TensorFunction) =>
        evaluate(
          (...all) =>
            jvp(
              (xs: Tensor[]) => f(...xs),
              [all.slice(0, 3)],
              [[0, 1, 2].map((i) => (moving.includes(i) ? all[3 + i] : 0))],
            )[1],
          [...inputs, ...directions],
        ).data;
      expectClose(tangent(of(tile)), tangent(of(5)), 1e-13);
    }
  });

  it('has the gradient of the whole, whichever operand it is of', () => {
    for (const which of [0, 1, 2]) {
      const gradient = (f: TensorFunction) =>
        evaluate((...all) => {
          const at = (x: Tensor) => f(...all.map((each, i) => (i === which ? x : each)));
          return grad((x: Tensor) => sum(square(at(x))))(all[which]);
        }, inputs).data;
      expectClose(gradient(of(tile)), gradient(of(5)), 1e-13);
    }
  });
});

it('has true derivatives to second order', () => {
  checkDerivatives(of(2), inputs, { tolerance: 1e-6 });
});

it('takes all queries at once up to 512, and 256 where there are more', () => {
  const calls = (queries: number) =>
    trace(({ q, k }) => attention(q, k, k), {
      q: spec([1, 1, queries, 4]),
      k: spec([1, 1, 3, 4]),
    }).graph.stats().ops;
  expect(calls(512)).toEqual({ attention: 1 });
  expect(calls(513)).toEqual({ tiledAttention: 1 });
  const inside = prepare(
    trace(({ q, k }) => attention(q, k, k), { q: spec([1, 1, 1024, 4]), k: spec([1, 1, 3, 4]) }).graph,
  );
  expect(inside.stats().ops['dotGeneral']).toBe(2 * 4);
});

it.each([0, -1, 1.5, NaN])('refuses a tile of %d', (tile) => {
  expect(() => graphOf((q, k, v) => attention(q, k, v, { tile }), inputs)).toThrow(
    'tile is a whole number of queries from 1',
  );
});

describe('memory', () => {
  const DEPTH = 16;
  type Three = [q: Tensor, k: Tensor, v: Tensor];
  const layers = (xs: Three): Tensor => {
    let [q] = xs;
    const [, k, v] = xs;
    // More than one, so that what one keeps is there while the next is computed.
    for (let layer = 0; layer < 3; layer++) q = attention(q, mul(q, k), mul(q, v));
    return q;
  };
  const programs: Record<string, (xs: Three) => unknown> = {
    value: layers,
    tangent: (xs) => jvp(layers, [xs], [[mul(xs[0], 2), xs[1], 0]])[1],
    'value and tangent': (xs) => jvp(layers, [xs], [[mul(xs[0], 2), 0, 0]]),
    gradient: (xs) => grad((at: Three) => sum(square(layers(at))))(xs),
    'gradient beside a tangent that it does not go through': (xs) =>
      grad((at: Three) => {
        const [value, tangent] = jvp(layers, [at], [[mul(at[0], 2), 0, 0]]);
        return sum(square(value.sub(stopGradient(tangent))));
      })(xs),
    'gradient in float16': (xs) =>
      grad((at: Three) => sum(square(autocast((...ys: Tensor[]) => layers(ys as Three))(...at))))(xs),
    'pulled back': (xs) => vjp(layers, [xs])[1](xs[0]),
  };
  const graphAt = (f: (xs: Three) => unknown, tokens: number): Graph => {
    const x = spec([1, 1, tokens, DEPTH]);
    return prepare(trace((xs: Three) => f(xs) as Tensor, [x, x, x] as never).graph);
  };

  describe.each(Object.keys(programs))('of the %s', (name) => {
    const [small, large] = [1024, 4096].map((tokens) => graphAt(programs[name], tokens));

    it('no array has a number for each query and key', () => {
      const largest = Math.max(...large.types.map(({ shape }) => shape.reduce((a, b) => a * b, 1)));
      expect(largest).toBe(256 * 4096);
    });

    it.each([
      ['as written', (graph: Graph) => graph],
      ["in ONNX Runtime's order", depthFirst],
    ])('is linear in tokens up to 4,096, %s', (_, ordered) => {
      const peaks = [small, large].map((graph) => ordered(graph).stats().peakBytes);
      expect(peaks[1] / peaks[0]).toBeLessThan(4.05);
      // A few arrays of one tile's weights.
      expect(peaks[1]).toBeLessThan(8 * 4 * 256 * 4096 + 60 * 4 * 4096 * DEPTH);
    });
  });
});
