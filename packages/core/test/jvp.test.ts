import {
  add,
  ArgumentError,
  cast,
  concat,
  constant,
  DTypeError,
  exp,
  gather,
  grad,
  jvp,
  matmul,
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
  TraceError,
  where,
  less,
  type HostArray,
  type Tensor,
} from '../src/index.js';
import { interpret, prepare } from '../src/backend-door.js';
import { evaluate, expectClose, floats, graphOf, ints, wave } from './support/numeric.js';

const x = floats([0.7], []);
const scalar = (f: (x: Tensor) => Tensor, at: HostArray = x) => evaluate(f, [at]).item();
const d = (f: (x: Tensor) => Tensor) => (t: Tensor) => jvp(f, [t], [1])[1];

describe('jvp', () => {
  it('returns the value and the directional derivative, as trees', () => {
    const { graph } = trace(
      ({ a, b }: { a: Tensor; b: Tensor }) =>
        jvp(
          (t: { a: Tensor; b: Tensor }) => ({ product: mul(t.a, t.b), list: [sin(t.a)] }),
          [{ a, b }],
          [{ a: 2, b: 3 }],
        ),
      { a: spec([]), b: spec([]) },
    );
    const out = interpret(graph, { a: floats([0.5], []), b: floats([4], []) });
    const values = Object.fromEntries(Object.entries(out).map(([name, array]) => [name, array.item()]));
    expect(values).toEqual({
      '0/list/0': Math.sin(0.5),
      '0/product': 2,
      '1/list/0': Math.cos(0.5) * 2,
      '1/product': 2 * 4 + 0.5 * 3,
    });
  });

  it('takes several arguments, tangents as tensors or numbers, and 0 for what is held fixed', () => {
    const value = evaluate(
      (a, b, v) => jvp((s: Tensor, t: Tensor) => mul(s, exp(t)), [a, b], [v, 0])[1],
      [floats([1, 2]), floats([0, 1]), floats([3, 5])],
    );
    expectClose(value.data, [3, 5 * Math.E]);
  });

  it('passes aux through without differentiating it', () => {
    const f = (t: Tensor) => [square(t), { inside: exp(t) }] as const;
    const graph = graphOf(
      (t) => {
        const [value, tangent, aux] = jvp(f, [t], [1], { hasAux: true });
        return add(mul(100, value), add(mul(10, tangent), aux.inside));
      },
      [x],
    );
    expect(interpret(graph, { 0: floats([0], []) })['output'].item()).toBe(1);
    expect(graph.stats().ops['exp']).toBe(1);
  });

  it('gives zero tangents, of the right shape, to results that do not move', () => {
    const out = evaluate((t) => jvp((_: Tensor) => constant([1, 2]), [t], [1])[1], [x]);
    expect([out.shape, [...out.data]]).toEqual([[2], [0, 0]]);
    expect([...evaluate((t) => jvp(stopGradient, [t], [1])[1], [x]).data]).toEqual([0]);
  });

  it('differentiates past int32 leaves that are held fixed', () => {
    const table = floats([1, 2, 3, 4, 5, 6], [3, 2]);
    const pushed = evaluate(
      (t, i) =>
        jvp(({ t, i }: { t: Tensor; i: Tensor }) => gather(t, i), [{ t, i }], [{ t: square(t), i: 0 }])[1],
      [table, ints([2, 0])],
    );
    expectClose(pushed.data, [25, 36, 1, 4]);
  });

  describe('symbolic zeros', () => {
    const count = (f: (...inputs: Tensor[]) => Tensor, ...shapes: number[][]) =>
      graphOf(f, shapes.map((shape) => wave(shape))).stats().ops; // prettier-ignore

    it('no tangent work for an argument that is held fixed', () => {
      const layer = (w: Tensor, h: Tensor) => tanh(matmul(h, w));
      const held = count((w, h, v) => jvp(layer, [w, h], [0, v])[1], [3, 3], [2, 3], [2, 3]);
      const moving = count((w, h, v, u) => jvp(layer, [w, h], [u, v])[1], [3, 3], [2, 3], [2, 3], [3, 3]);
      expect(held['dotGeneral']).toBe(2);
      expect(moving['dotGeneral']).toBe(3);
    });

    it('no work at all when everything is held fixed', () => {
      expect(count((t) => jvp((s) => exp(sin(s)), [t], [0])[1], [3])).toEqual({
        constant: 1,
        broadcastTo: 1,
      });
    });

    it('concat pads its moving parts and makes no tensor of zeros', () => {
      const ops = count(
        (a, b, v) => jvp((s: Tensor, t: Tensor) => concat([s, t, s]), [a, b], [0, v])[1],
        [2], [3], [3],
      ); // prettier-ignore
      expect(ops).toEqual({ pad: 1 });
    });

    it('a derivative that is zero everywhere stops the walk', () => {
      const step = (t: Tensor) => exp(cast(less(t, 0), 'float32'));
      expect(count((t) => jvp(step, [t], [1])[1], [3])).toEqual({ constant: 1, broadcastTo: 1 });
    });

    it('only the branch of where that moves is seen', () => {
      const ops = count((t, c) => jvp((s: Tensor) => where(less(c, 0), s, c), [t], [1])[1], [3], [3]);
      expect(ops['select']).toBe(1);
      expect(ops['mul']).toBeUndefined();
    });
  });

  describe('nesting', () => {
    it('third derivatives', () => {
      expect(scalar(d(d(d(sin))))).toBeCloseTo(-Math.cos(0.7), 14);
    });

    it('does not confuse perturbations: d/dx (x · d/dy (x + y)) = 1', () => {
      expect(scalar(d((s) => mul(s, d((t) => add(s, t))(s))))).toBe(1);
    });

    it('does not confuse perturbations: d/dx (x · d/dy (x · y)) = 2x', () => {
      expect(scalar(d((s) => mul(s, d((t) => mul(s, t))(constant(3)))))).toBeCloseTo(1.4, 14);
    });

    it('a captured variable is constant inside and moves outside', () => {
      // d/dx [d/dy (x² y³) at y = x] = d/dx 3x⁴ = 12x³
      const inner = (s: Tensor) => d((t) => mul(square(s), mul(t, square(t))))(s);
      expect(scalar(d(inner))).toBeCloseTo(12 * 0.7 ** 3, 13);
    });

    it('a function that closes over its own argument holds the captured one fixed', () => {
      expect(scalar((s) => jvp((t: Tensor) => mul(t, s), [s], [1])[1])).toBe(0.7);
      expect(scalar((s) => grad((t: Tensor) => mul(t, s))(s))).toBe(0.7);
    });

    it('a tangent that depends on what is differentiated outside', () => {
      // d/dx [∂(y³)/∂y at x along x²] = d/dx 3x⁴
      const along = (s: Tensor) => jvp((t: Tensor) => mul(t, square(t)), [s], [square(s)])[1];
      expect(scalar(d(along))).toBeCloseTo(12 * 0.7 ** 3, 13);
    });

    it('grad inside jvp inside grad', () => {
      // g(x) = x³ sin x; the third derivative.
      const f = (t: Tensor) => mul(mul(t, square(t)), sin(t));
      const third = (s: Tensor) => grad((t: Tensor) => jvp((u: Tensor) => grad(f)(u), [t], [1])[1])(s);
      const [sine, cosine] = [Math.sin(0.7), Math.cos(0.7)];
      const expected = 6 * sine + 18 * 0.7 * cosine - 9 * 0.49 * sine - 0.343 * cosine;
      expect(scalar(third)).toBeCloseTo(expected, 12);
    });
  });

  it('computes the primal once: value and tangent share it', () => {
    const graph = graphOf(
      (w, h, v) => {
        const [value, tangent] = jvp((s: Tensor) => tanh(matmul(s, w)), [h], [v]);
        return add(value, tangent);
      },
      [wave([3, 3]), wave([2, 3]), wave([2, 3])],
    );
    expect(prepare(graph).stats().ops).toEqual({
      dotGeneral: 2,
      tanh: 1,
      // 1 − tanh² without loss where tanh is near ±1.
      sigmoid: 1,
      abs: 2,
      mul: 4,
      constant: 3,
      add: 2,
    });
  });

  describe('errors', () => {
    const call = (use: (t: Tensor, i: Tensor) => unknown) => () =>
      trace(({ t, i }: { t: Tensor; i: Tensor }) => { use(t, i); return t; }, { t: spec([2]), i: spec([2], 'int32') }); // prettier-ignore

    it.each<[string, () => unknown, new (message?: string) => Error, RegExp]>([
      ['a tangent that is missing', call((t) => jvp((s) => s.a, [{ a: t, b: t }], [{ a: 1 } as never])), PytreeError, /primal "0\/b" has no tangent; pass 0 to hold it fixed/],
      ['a tangent too many', call((t) => jvp((s) => s, [t], [{ a: 1 } as never])), PytreeError, /tangent "0\/a" has no primal/],
      ['a tangent of another shape', call((t) => jvp((s) => s, [t], [constant(1)])), ShapeError, /tangent "0" is float32\[\], its primal is float32\[2\]/],
      ['a tangent of another dtype', call((t, i) => jvp((s) => s, [t], [i])), ShapeError, /tangent "0" is int32\[2\], its primal is float32\[2\]/],
      ['a tangent for integers', call((_, i) => jvp((s) => s, [i], [1])), DTypeError, /primal "0" is int32\[2\]; only float32 and float16 have a tangent, pass 0/],
      ['a primal that is no tensor', call(() => jvp((s: Tensor) => s, [3 as unknown as Tensor], [1])), PytreeError, /primal "0" is 3 \(number\), not a tensor/],
      ['primals without an array', call((t) => jvp((s: Tensor) => s, t as never, [t])), ArgumentError, /^jvp: primals are a tensor float32\[2\], not an array with one for each argument of f, as in `jvp\(f, \[x\], \[dx\]\)`\.$/],
      ['tangents without an array', call((t) => jvp((s: Tensor) => s, [t], 1 as never)), ArgumentError, /^jvp: tangents are 1, not an array/],
      ['tangents that are not given', call((t) => jvp((s: Tensor) => s, [t], undefined as never)), ArgumentError, /^jvp: tangents are undefined, not an array/],
      ['no function', call((t) => jvp(t as never, [t], [t])), ArgumentError, /^jvp: f is a tensor float32\[2\], not a function/],
      ['no pair with hasAux', call((t) => jvp((s: Tensor) => s as never, [t], [1], { hasAux: true })), ArgumentError, /^jvp: f returned a tensor float32\[2\]; with hasAux it returns `\[value, aux\]`\.$/],
      ['a result that is no tensor', call((t) => jvp((_: Tensor) => 3 as never, [t], [1])), PytreeError, /result "" is 3 \(number\), not a tensor/],
    ])('%s', (_, use, type, message) => {
      expect(use).toThrow(type);
      expect(use).toThrow(message);
    }); // prettier-ignore

    it('a tensor of another trace', () => {
      let leaked: Tensor | undefined;
      trace((t) => { leaked = t; return t; }, spec([2])); // prettier-ignore
      const use = () => trace((t) => sub(t, leaked!), spec([2]));
      expect(use).toThrow(TraceError);
      expect(use).toThrow(/depends on tensor "input" of another trace.*pass this one as an argument/);
      expect(() => trace((t) => jvp((s: Tensor) => mul(s, leaked!), [t], [1])[1], spec([2]))).toThrow(
        TraceError,
      );
      expect(() => trace((t) => grad((s: Tensor) => sum(mul(s, leaked!)))(t), spec([2]))).toThrow(TraceError);
    });
  });
});
