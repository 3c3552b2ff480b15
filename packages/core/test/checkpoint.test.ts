import {
  add,
  broadcastTo,
  cast,
  checkpoint,
  constant,
  grad,
  jvp,
  matmul,
  mul,
  sin,
  square,
  stopGradient,
  sum,
  tanh,
  valueAndGrad,
  vjp,
  type Tensor,
} from '../src/index.js';
import { prepare } from '../src/backend-door.js';
import { checkDerivatives, evaluate, expectClose, floats, graphOf, wave } from './support/numeric.js';

const block = (x: Tensor, w: Tensor) => tanh(matmul(sin(matmul(x, w)), w));
const inputs = [wave([2, 3]), wave([3, 3], 1)];

describe('checkpoint', () => {
  it('has the values and all derivatives of what it wraps', () => {
    const value = evaluate(checkpoint(block), inputs);
    expectClose(value.data, evaluate(block, inputs).data, 0);
    checkDerivatives(checkpoint(block), inputs);
    const direction = wave([2, 3], 2);
    const tangent = (f: typeof block) =>
      evaluate((x, w, v) => jvp((t: Tensor) => f(t, w), [x], [v])[1], [...inputs, direction]).data;
    expectClose(tangent(checkpoint(block)), tangent(block));
    const gradient = (f: typeof block) =>
      evaluate((x, w) => grad((p: Tensor) => sum(square(f(x, p))))(w), inputs).data;
    expectClose(gradient(checkpoint(block)), gradient(block));
  });

  it('can be nested, and differentiates what it captures', () => {
    const nested = (x: Tensor, w: Tensor) => {
      const outer = checkpoint((t: Tensor) => {
        const inner = checkpoint((s: Tensor) => tanh(matmul(s, w)));
        return mul(inner(inner(t)), sum(w));
      });
      return add(outer(x), x);
    };
    const plain = (x: Tensor, w: Tensor) => add(mul(tanh(matmul(tanh(matmul(x, w)), w)), sum(w)), x);
    expectClose(evaluate(nested, inputs).data, evaluate(plain, inputs).data);
    checkDerivatives(nested, inputs);
  });

  it('keeps trees, integers and results that do not move', () => {
    const f = (x: Tensor) => {
      const g = checkpoint(({ a, n }: { a: Tensor; n: Tensor }) => ({
        list: [mul(a, cast(n, 'float32')), broadcastTo(constant(5), [2])],
        n: add(n, 1),
      }));
      const { list, n } = g({ a: x, n: constant([2, 3], 'int32') });
      return add(add(list[0], list[1]), cast(n, 'float32'));
    };
    expectClose(evaluate(f, [floats([1, 10])]).data, [2 + 5 + 3, 30 + 5 + 4]);
    checkDerivatives(f, [floats([1, 10])]);
  });

  it('makes no tangents for results that do not move', () => {
    const f = (t: Tensor, w: Tensor) => {
      const pair = checkpoint((s: Tensor, u: Tensor): [Tensor, Tensor, Tensor] => [
        sin(s),
        tanh(u),
        stopGradient(s),
      ]);
      return pair(t, w).reduce((a, b) => mul(a, b));
    };
    const tangent = graphOf((x, w) => jvp((t: Tensor) => f(t, w), [x], [1])[1], [wave([3]), wave([3], 1)]);
    // cos(x) · tanh(w) · x, and nothing of zeros.
    expect(prepare(tangent).stats().ops).toEqual({ cos: 1, tanh: 1, mul: 2 });
    const fixed = graphOf((x) => jvp((t: Tensor) => checkpoint(stopGradient)(t), [x], [1])[1], [wave([3])]);
    expect(fixed.stats().ops).toEqual({ constant: 1, broadcastTo: 1 });
  });

  it('works in vjp with some cotangents missing', () => {
    const gradient = evaluate(
      (x) => {
        const f = checkpoint((t: Tensor): [Tensor, Tensor] => [sin(t), square(t)]);
        return vjp((t: Tensor) => f(t)[1], [x])[1](constant([1, 1]))[0];
      },
      [floats([2, 3])],
    );
    expectClose(gradient.data, [4, 6]);
  });

  describe('on a deep chain', () => {
    const deep = (wrap: (f: (t: Tensor) => Tensor) => (t: Tensor) => Tensor) => (x: Tensor) => {
      const f = (t: Tensor): Tensor => {
        for (let segment = 0; segment < 8; segment++) {
          t = wrap((s: Tensor) => {
            for (let i = 0; i < 8; i++) s = sin(s);
            return s;
          })(t);
        }
        return sum(t);
      };
      const [value, gradient] = valueAndGrad(f)(x);
      return add(gradient, value);
    };
    const x = wave([100]);
    const plain = prepare(
      graphOf(
        deep((f) => f),
        [x],
      ),
    );
    const frugal = prepare(graphOf(deep(checkpoint), [x]));

    it('recomputes what it did not keep, and simplify does not undo that', () => {
      expect(plain.stats().ops['sin']).toBe(64);
      // Of each segment, all but the last result is needed again.
      expect(frugal.stats().ops['sin']).toBe(64 + 8 * 7);
      expect(frugal.stats().ops['optimizationBarrier']).toBe(8);
      expect(prepare(frugal).stats().ops).toEqual(frugal.stats().ops);
    });

    it('needs less memory at once', () => {
      const bytes = 100 * 4;
      // All 64 intermediates against one per segment and the intermediates of one segment.
      expect(plain.stats().peakBytes).toBeGreaterThan(64 * bytes);
      expect(frugal.stats().peakBytes).toBeLessThan(22 * bytes);
    });
  });
});
