import {
  add,
  ArgumentError,
  argMax,
  attention,
  cast,
  checkpoint,
  concat,
  constant,
  conv,
  DTypeError,
  exp,
  grad,
  hostArray,
  iota,
  matmul,
  mean,
  mul,
  pad,
  PytreeError,
  ShapeError,
  silu,
  spec,
  square,
  sum,
  trace,
  type Tensor,
} from '../src/index.js';
import { interpret, prepare } from '../src/backend-door.js';
import { floats, graphOf, wave } from './support/numeric.js';

describe('trace', () => {
  it('names inputs and outputs by path and types them', () => {
    const { graph, input, output } = trace(
      ({ params, x }: { params: { w: Tensor }[]; x: Tensor }) => ({
        y: matmul(x, params[0].w),
        pair: [x, x],
      }),
      { params: [{ w: spec([3, 2]) }], x: spec([4, 3]) },
      { name: 'model' },
    );
    expect(graph.name).toBe('model');
    expect(graph.inputs.map(({ name, value }) => [name, graph.types[value]])).toEqual([
      ['params/0/w', { dtype: 'float32', shape: [3, 2] }],
      ['x', { dtype: 'float32', shape: [4, 3] }],
    ]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['pair/0', 'pair/1', 'y']);
    expect([input.paths, output.paths]).toEqual([
      ['params/0/w', 'x'],
      ['pair/0', 'pair/1', 'y'],
    ]);
  });

  it('takes host arrays and tensors for specs, float64 as float32', () => {
    const { graph } = trace(({ a, b }: { a: Tensor; b: Tensor }) => add(a, cast(b, 'float32')), {
      a: hostArray([1, 2], { dtype: 'float64' }),
      b: constant([1, 2], 'int32'),
    });
    expect(graph.inputs.map(({ value }) => graph.types[value].dtype)).toEqual(['float32', 'int32']);
  });

  it("names a function's graph after it, and a single leaf input or output", () => {
    const { graph } = trace(function twice(x: Tensor) { return add(x, x); }, spec([])); // prettier-ignore
    expect(`${graph}`).toBe(
      'twice(%input: float32[]) {\n  %0: float32[] = add(%input, %input)\n  return output = %0\n}',
    );
  });

  it.each<[string, () => unknown, new (message?: string) => Error, string]>([
    ['an input that is no spec', () => trace((x: Tensor) => x, 3 as never), PytreeError, 'trace: leaf "input" is 3; it must be a spec(...), a HostArray or a Tensor.'],
    ['an input of a bad shape', () => trace((x: Tensor) => x, { a: spec([1.5]) } as never), ArgumentError, 'trace: leaf "a" has shape [1.5]; dimensions are non-negative integers.'],
    ['a result that is no tensor', () => trace(() => ({ a: 3 }) as never, {}), PytreeError, 'The traced function returned 3 as "a"; it must return tensors.'],
    ['paths that collide', () => trace(({ 'a/b': x }: { 'a/b': Tensor; a: { b: Tensor } }) => x, { 'a/b': spec([]), a: { b: spec([]) } }), PytreeError, 'trace: two leaves of the argument have the path "a/b"; rename a key.'],
    ['result paths that collide', () => trace((x: Tensor) => ({ 'a/b': x, a: { b: x } }), spec([])), PytreeError, 'trace: two leaves of the result have the path "a/b"; rename a key.'],
  ])('refuses %s', (_, use, type, message) => {
    expect(use).toThrow(type);
    expect(use).toThrow(message);
  }); // prettier-ignore
});

describe('Graph', () => {
  it('applies to tensors, as part of another program', () => {
    const inner = graphOf((x, y) => mul(x, exp(y)), [wave([2]), wave([2])]);
    const outer = graphOf((x) => grad((t: Tensor) => sum(inner.apply([t, t])[0]))(x), [wave([2])]);
    const at = floats([1, 2]);
    expect([...interpret(outer, { 0: at })['output'].data]).toEqual([2 * Math.E, 3 * Math.E ** 2]);
  });

  it('checks what it is applied to', () => {
    const { graph } = trace(({ a }: { a: Tensor }) => a, { a: spec([2]) }, { name: 'g' });
    expect(() => graph.apply([])).toThrow(new ShapeError('Graph "g" takes 1 inputs, got 0.'));
    expect(() => graph.apply([constant([1])])).toThrow('Graph "g" takes float32[2] as "a", got float32[1].');
    expect(() => graph.apply([constant([1, 2], 'int32')])).toThrow(ShapeError);
  });

  it('checks what it is run on', () => {
    const { graph } = trace(
      ({ left, right }: { left: Tensor; right: Tensor }) => add(left, right),
      { left: spec([2]), right: spec([2]) },
      { name: 'g' },
    );
    const a = hostArray([1, 2]);
    const run = (inputs: Record<string, typeof a>) => () => interpret(graph, inputs);
    expect(run({ left: a })).toThrow(new ArgumentError('Input "right" of graph "g" is missing.'));
    expect(run({ left: a, right: a, lefd: a })).toThrow(
      'Graph "g" has no input "lefd"; it takes left, right. Did you mean "left"?',
    );
    expect(run({ left: a, right: hostArray([1]) })).toThrow(
      new ShapeError('Input "right" must be float32[2], got float32[1].'),
    );
    expect(run({ left: a, right: hostArray([1, 2], { dtype: 'int32' }) as never })).toThrow(DTypeError);
  });
});

describe('toString', () => {
  it('reads as SSA with types', () => {
    const { graph } = trace(
      function loss({ w, b, x }: { w: Tensor; b: Tensor; x: Tensor }) {
        return mean(square(silu(add(matmul(x, w), b))));
      },
      { w: spec([3, 2]), b: spec([2]), x: spec([4, 3]) },
    );
    expect(graph.toString()).toMatchInlineSnapshot(`
      "loss(%b: float32[2], %w: float32[3, 2], %x: float32[4, 3]) {
        %0: float32[4, 2] = dotGeneral{contract: [1]×[0]}(%x, %w)
        %1: float32[4, 2] = add(%0, %b)
        %2: float32[4, 2] = silu(%1)
        %3: float32[4, 2] = mul(%2, %2)
        %4: float32[] = reduceSum{axes: [0, 1]}(%3)
        %5: float32[] = constant{0.125}()
        %6: float32[] = mul(%4, %5)
        return output = %6
      }"
    `);
    expect(prepare(graph).toString()).toMatchInlineSnapshot(`
      "loss(%b: float32[2], %w: float32[3, 2], %x: float32[4, 3]) {
        %0: float32[4, 2] = dotGeneral{contract: [1]×[0]}(%x, %w)
        %1: float32[4, 2] = add(%0, %b)
        %2: float32[4, 2] = sigmoid(%1)
        %3: float32[4, 2] = mul(%1, %2)
        %4: float32[4, 2] = mul(%3, %3)
        %5: float32[] = reduceSum{axes: [0, 1]}(%4)
        %6: float32[] = constant{0.125}()
        %7: float32[] = mul(%5, %6)
        return output = %7
      }"
    `);
  });

  it('shows attributes that the type does not say', () => {
    const { graph } = trace(
      function mixed([image, kernel, q]: Tensor[]) {
        const y = conv(image, kernel, { strides: [2, 1], padding: [[1, 0], [0, 0]], groups: 2 }); // prettier-ignore
        const plain = conv(image, kernel, { groups: 2 });
        const padded = pad(sum(y, [2, 3]), { low: [0, 1] });
        const labels = add(argMax(padded, 0), iota([5], 0));
        const big = concat([constant([1, 2, 3, 4, 5]), cast(labels, 'float32')]);
        return [big, plain, attention(q, q, q), checkpoint((t: Tensor) => exp(t))(q)];
      },
      [spec([1, 4, 3, 3]), spec([4, 2, 2, 2]), spec([1, 1, 2, 2])],
    );
    expect(graph.toString()).toMatchInlineSnapshot(`
      "mixed(%input/0: float32[1, 4, 3, 3], %input/1: float32[4, 2, 2, 2], %input/2: float32[1, 1, 2, 2]) {
        %0: float32[1, 4, 2, 2] = conv{strides: [2, 1], padding: [[1, 0], [0, 0]], groups: 2}(%input/0, %input/1)
        %1: float32[1, 4, 2, 2] = conv{groups: 2}(%input/0, %input/1)
        %2: float32[1, 4] = reduceSum{axes: [2, 3]}(%0)
        %3: float32[1, 5] = pad{low: [0, 1], high: [0, 0], interior: [0, 0]}(%2)
        %4: int32[5] = argMax{axis: 0}(%3)
        %5: int32[5] = iota{axis: 0}()
        %6: int32[5] = add(%4, %5)
        %7: float32[5] = constant{[1, 2, 3, 4, …]}()
        %8: float32[5] = cast(%6)
        %9: float32[10] = concat{axis: 0}(%7, %8)
        %10: float32[1, 1, 2, 2] = attention{scale: 0.7071067811865475}(%input/2, %input/2, %input/2)
        %11: float32[1, 1, 2, 2] = checkpoint(%input/2)
        return 0 = %9, 1 = %1, 2 = %10, 3 = %11
      }"
    `);
  });
});

describe('stats', () => {
  it('counts ops, operations, bytes moved and bytes alive at once', () => {
    const { graph } = trace(({ w, x }: { w: Tensor; x: Tensor }) => sum(silu(matmul(x, w))), {
      w: spec([3, 2]),
      x: spec([4, 3]),
    });
    expect(graph.stats()).toEqual({
      instructions: 3,
      ops: { dotGeneral: 1, silu: 1, reduceSum: 1 },
      // 2·4·2·3 for the product, 8·(3 + 1) for σ and the product with it, 8 for the sum.
      flops: 48 + 32 + 8,
      // Operands and results: (12 + 6 + 8) + (8 + 8) + (8 + 1) numbers.
      bytesMoved: 4 * (26 + 16 + 9),
      // The inputs, the product and its activation.
      peakBytes: 4 * (12 + 6 + 8 + 8),
    });
  });

  it('counts bools as bytes, and frees a value after its last use', () => {
    const graph = graphOf((x) => exp(exp(exp(exp(x)))), [wave([10])]);
    expect(graph.stats().peakBytes).toBe(4 * 30);
    const compare = graphOf((x) => cast(cast(x, 'bool'), 'float32'), [wave([10])]);
    expect(compare.stats()).toMatchObject({ bytesMoved: 2 * (40 + 10), peakBytes: 40 + 10 + 40, flops: 0 });
  });

  it('counts convolutions by multiply-adds', () => {
    const graph = graphOf((x, k) => conv(x, k, { groups: 2 }), [wave([2, 4, 5]), wave([6, 2, 3])]);
    expect(graph.stats().flops).toBe(2 * (2 * 6 * 3) * (2 * 3));
  });
});
