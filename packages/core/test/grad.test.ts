import {
  add,
  ArgumentError,
  cast,
  constant,
  DTypeError,
  exp,
  gather,
  grad,
  jvp,
  matmul,
  mean,
  mul,
  PytreeError,
  ShapeError,
  sin,
  spec,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  trace,
  valueAndGrad,
  vjp,
  type HostArray,
  type Tensor,
} from '../src/index.js';
import { interpret, prepare } from '../src/backend-door.js';
import { evaluate, expectClose, floats, graphOf, ints, wave } from './support/numeric.js';

const x = floats([0.7], []);
const scalar = (f: (x: Tensor) => Tensor, at: HostArray = x) => evaluate(f, [at]).item();

describe('grad and valueAndGrad', () => {
  it('return gradients in the structure of the parameters', () => {
    const traced = trace(
      (p: { a: Tensor; layers: { w: Tensor }[] }) =>
        valueAndGrad((q: { a: Tensor; layers: { w: Tensor }[] }) => mul(q.a, sum(square(q.layers[0].w))))(p),
      { a: spec([]), layers: [{ w: spec([2]) }, { w: spec([3]) }] },
    );
    const out = interpret(traced.graph, {
      a: floats([3], []),
      'layers/0/w': floats([1, 2]),
      'layers/1/w': wave([3]),
    });
    const values = Object.fromEntries(Object.entries(out).map(([name, array]) => [name, [...array.data]]));
    expect(values).toEqual({
      '0': [15],
      '1/a': [5],
      '1/layers/0/w': [6, 12],
      // What the function does not use has a gradient of zeros.
      '1/layers/1/w': [0, 0, 0],
    });
  });

  it('differentiate in the first argument only', () => {
    const gradient = evaluate(
      (a, b) => grad((s: Tensor, t: Tensor) => sum(mul(s, t)))(a, b),
      [wave([3]), wave([3], 1)],
    );
    expectClose(gradient.data, wave([3], 1).data);
  });

  it('pass aux through without differentiating it', () => {
    const f = (t: Tensor) => [square(t), { inside: exp(t), list: [t] }] as const;
    const all = evaluate(
      (t) => {
        const [[value, aux], gradient] = valueAndGrad(f, { hasAux: true })(t);
        return add(mul(100, value), add(mul(10, gradient), add(aux.inside, aux.list[0])));
      },
      [floats([1], [])],
    );
    expect(all.item()).toBeCloseTo(100 + 20 + Math.E + 1, 12);
  });

  it('sum the contributions of every use', () => {
    expect(scalar(grad((t: Tensor) => add(mul(t, t), mul(t, sin(t)))))).toBeCloseTo(
      1.4 + Math.sin(0.7) + 0.7 * Math.cos(0.7),
      14,
    );
  });

  it('of the identity and of constants', () => {
    expect(scalar(grad((t: Tensor) => t))).toBe(1);
    expect(scalar(grad(() => constant(2)))).toBe(0);
  });

  it('of gradients, to third order', () => {
    const derivative = (f: (t: Tensor) => Tensor): ((t: Tensor) => Tensor) => grad(f);
    expect(scalar(derivative(derivative(derivative(sin))))).toBeCloseTo(-Math.cos(0.7), 14);
  });

  it('share the primal between value and gradient', () => {
    const graph = graphOf(
      (w, h) => {
        const [value, gradient] = valueAndGrad((s: Tensor) => mean(square(tanh(matmul(h, s)))))(w);
        return add(value, sum(gradient));
      },
      [wave([3, 3]), wave([2, 3])],
    );
    expect(prepare(graph).stats().ops).toMatchObject({ dotGeneral: 2, tanh: 1 });
  });
});

describe('stopGradient', () => {
  it('cuts reverse mode, forward mode and both at once', () => {
    const f = (t: Tensor) => mul(t, stopGradient(square(t)));
    expect(scalar(grad(f))).toBeCloseTo(0.49, 15);
    expect(scalar((t) => jvp(f, [t], [1])[1])).toBeCloseTo(0.49, 15);
    expect(scalar((t) => jvp((s: Tensor) => grad(f)(s), [t], [1])[1])).toBe(0);
    expect(scalar((t) => grad((s: Tensor) => jvp(f, [s], [1])[1])(t))).toBe(0);
  });

  it('leaves no backward work behind it', () => {
    const loss = (w: Tensor, h: Tensor) => sum(mul(matmul(h, w), stopGradient(matmul(h, square(w)))));
    const graph = graphOf((w, h) => grad(loss)(w, h), [wave([3, 3]), wave([2, 3])]);
    // The product under the stop, and the transpose of the other.
    expect(prepare(graph).stats().ops['dotGeneral']).toBe(2);
  });

  it('makes a MeanFlow target constant: the JVP adds no backward work', () => {
    const loss = (w: Tensor, z: Tensor, v: Tensor) => {
      const [u, du] = jvp((s: Tensor) => tanh(matmul(s, w)), [z], [v]);
      return sum(square(sub(u, stopGradient(sub(v, du)))));
    };
    const inputs = [wave([3, 3]), wave([2, 3]), wave([2, 3], 1)];
    const gradient = graphOf((w, z, v) => grad(loss)(w, z, v), inputs);
    // The primal, the tangent, and the one transpose that the primal needs.
    expect(prepare(gradient).stats().ops['dotGeneral']).toBe(3);
    const frozen = evaluate((w, z, v) => {
      const target = sub(v, jvp((s: Tensor) => tanh(matmul(s, w)), [z], [v])[1]);
      return grad((p: Tensor) => sum(square(sub(tanh(matmul(z, p)), target))))(w);
    }, inputs);
    expectClose(evaluate((w, z, v) => grad(loss)(w, z, v), inputs).data, frozen.data);
  });
});

describe('vjp', () => {
  it('pulls cotangents of several outputs back to several arguments', () => {
    const out = evaluate(
      (a, b) => {
        const [value, pull] = vjp(
          (s: Tensor, t: { y: Tensor }) => ({ p: mul(s, t.y), q: [exp(s)] }),
          [a, { y: b }],
        );
        const [da, db] = pull({ p: constant([1, 2]), q: [constant([10, 20])] });
        return add(add(mul(0, value.p), da), mul(1000, db.y));
      },
      [floats([0, 1]), floats([3, 4])],
    );
    expectClose(out.data, [3 + 10 + 0, 8 + 20 * Math.E + 2000]);
  });

  it('can be pulled several times', () => {
    const rows = evaluate(
      (t) => {
        const [, pull] = vjp((s: Tensor) => square(s), [t]);
        return add(pull(constant([1, 0]))[0], mul(10, pull(constant([0, 1]))[0]));
      },
      [floats([2, 3])],
    );
    expect([...rows.data]).toEqual([4, 60]);
  });

  it('gives zeros to int32 arguments and takes int32 results', () => {
    const out = evaluate(
      (table, index) => {
        const [, pull] = vjp(
          (t: Tensor, i: Tensor) => ({ rows: gather(t, i), index: add(i, 1) }),
          [table, index],
        );
        const [dt, di] = pull({ rows: constant([5, 7]), index: constant([1, 1], 'int32') });
        return add(dt, sum(di));
      },
      [floats([1, 2, 3]), ints([2, 2])],
    );
    expect([...out.data]).toEqual([0, 0, 12]);
  });

  it('gives zeros to what the result does not depend on', () => {
    const out = evaluate(
      (a, b) => vjp((s: Tensor, _t: Tensor) => s, [a, b])[1](constant([1, 1]))[1],
      [wave([2]), wave([2])],
    );
    expect([...out.data]).toEqual([0, 0]);
  });
});

describe('errors', () => {
  const call = (use: (t: Tensor, i: Tensor) => unknown) => () =>
    trace(({ t, i }: { t: Tensor; i: Tensor }) => { use(t, i); return t; }, { t: spec([2]), i: spec([2], 'int32') }); // prettier-ignore

  it.each<[string, () => unknown, new (message?: string) => Error, RegExp]>([
    ['a result that is not a scalar', call((t) => grad(square)(t)), ShapeError, /returned float32\[2\], not a scalar; reduce it with sum\(\) or mean\(\)/],
    ['a result that is not float32', call((t) => grad((s: Tensor) => cast(sum(s), 'int32'))(t)), DTypeError, /returned int32\[\], not float32/],
    ['a result that is no tensor', call((t) => grad(() => 3 as never)(t)), ShapeError, /returned 3, not a scalar tensor/],
    ['integer parameters', call((t, i) => grad((p: { a: Tensor; b: Tensor }) => sum(p.a))({ a: t, b: i })), PytreeError, /leaf "b" is int32\[2\]; only float32 and float16 tensors have a gradient/],
    ['parameters that are no tensors', call(() => grad((p: { a: Tensor }) => sum(p.a))({ a: 3 as never })), PytreeError, /leaf "a" is 3/],
    ['no function', call((t) => grad(t as never)), ArgumentError, /^grad: f is a tensor float32\[2\], not a function of tensors\.$/],
    ['no function, and its value too', call((t) => valueAndGrad(t as never)), ArgumentError, /^valueAndGrad: f is a tensor float32\[2\]/],
    ['parameters that are not given', call(() => grad((s: Tensor) => sum(s))(undefined as never)), ArgumentError, /^grad: its first argument is not given/],
    ['no pair with hasAux', call((t) => valueAndGrad((s: Tensor) => sum(s) as never, { hasAux: true })(t)), ArgumentError, /^grad: f returned a tensor float32\[\]; with hasAux/],
    ['no function to pull back', call((t) => vjp(t as never, [t])), ArgumentError, /^vjp: f is a tensor float32\[2\]/],
    ['primals without an array', call((t) => vjp((s: Tensor) => s, t as never)), ArgumentError, /^vjp: primals are a tensor float32\[2\], not an array with one for each argument of f, as in `vjp\(f, \[x\]\)`\.$/],
    ['cotangents of another structure', call((t) => vjp((s: Tensor) => ({ a: s }), [t])[1]({ b: t } as never)), PytreeError, /vjp: the trees differ in structure: leaf "a" is missing, and leaf "b" is not expected/],
    ['a cotangent of another type', call((t) => vjp((s: Tensor) => ({ a: s }), [t])[1]({ a: sum(t) })), ShapeError, /cotangent "a" is float32\[\], the output is float32\[2\]/],
    ['a cotangent that is no tensor', call((t) => vjp((s: Tensor) => ({ a: s }), [t])[1]({ a: 1 as never })), PytreeError, /cotangent "a" is 1 \(number\), not a tensor/],
    ['a primal that is no tensor', call(() => vjp((s: Tensor) => s, [1 as never])), PytreeError, /primal "0" is 1 \(number\)/],
  ])('%s', (_, use, type, message) => {
    expect(use).toThrow(type);
    expect(use).toThrow(message);
  }); // prettier-ignore
});
