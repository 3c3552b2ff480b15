/** Composites: the value of each is its decomposition's, and so are the derivatives that it writes in closed form. */
import {
  adamUpdate,
  add,
  attention,
  callComposite,
  concat,
  constant,
  cos,
  gelu,
  grad,
  groupNorm,
  jvp,
  layerNorm,
  mul,
  reshape,
  rmsNorm,
  silu,
  sin,
  softmax,
  softplus,
  stopGradient,
  sum,
  type CompositeDefinition,
  type Tensor,
} from '../src/index.js';
import { applyProgram } from '../src/graph.js';
import { builtInComposite, prepare, simplify, type CompositeCall } from '../src/backend-door.js';
import {
  checkDerivatives,
  evaluate,
  expectClose,
  floats,
  graphOf,
  wave,
  type TensorFunction,
} from './support/numeric.js';

/** The decomposition of the one composite that `f` calls, as a function of its own. */
function decomposed(f: TensorFunction): TensorFunction {
  return (...inputs) => {
    const node = f(...inputs).node;
    if (node.op !== 'composite') throw new Error('not a composite');
    return applyProgram(node.attributes.body, inputs)[0];
  };
}

const kinkFree = wave([2, 4], 0.3, 2);
const table: readonly [name: string, f: TensorFunction, inputs: ReturnType<typeof wave>[]][] = [
  ['silu', (x) => silu(x), [kinkFree]],
  ['gelu', (x) => gelu(x), [kinkFree]],
  ['gelu with tanh', (x) => gelu(x, { approximate: 'tanh' }), [kinkFree]],
  ['softplus', (x) => softplus(x), [kinkFree]],
  ['softmax', (x) => softmax(x), [kinkFree]],
  ['softmax of one class', (x) => softmax(x), [wave([3, 1])]],
  ['softmax of no classes', (x) => softmax(x), [wave([3, 0])]],
  ['layerNorm', (x) => layerNorm(x), [kinkFree]],
  ['layerNorm with a large epsilon', (x) => layerNorm(x, { epsilon: 0.5 }), [kinkFree]],
  ['layerNorm of rank 1', (x) => layerNorm(x), [wave([5])]],
  ['rmsNorm', (x) => rmsNorm(x), [kinkFree]],
  ['attention', (q, k, v) => attention(q, k, v, { scale: 0.7 }), [wave([1, 2, 2, 3]), wave([1, 2, 3, 3], 1), wave([1, 2, 3, 3], 2)]],
]; // prettier-ignore

describe.each(table)('%s', (_, f, inputs) => {
  it('has the value of its decomposition', () => {
    expectClose(evaluate(f, inputs).data, evaluate(decomposed(f), inputs).data, 1e-15);
  });

  it('has the tangent of its decomposition', () => {
    const directions = inputs.map(({ shape }, i) => wave(shape, 3 + i));
    const tangent = (g: TensorFunction) =>
      evaluate(
        (...all) => {
          const primals = all.slice(0, inputs.length);
          return jvp((xs: Tensor[]) => g(...xs), [primals], [[...all.slice(inputs.length)]])[1];
        },
        [...inputs, ...directions],
      );
    expectClose(tangent(f).data, tangent(decomposed(f)).data, 1e-12);
  });

  it('has true derivatives to second order', () => {
    checkDerivatives(f, inputs, { tolerance: 1e-6 });
  });
});

describe('groupNorm', () => {
  it('has true derivatives to second order', () => {
    const f = (x: Tensor, scale: Tensor, bias: Tensor) => groupNorm(x, { groups: 2, scale, bias });
    checkDerivatives(f as TensorFunction, [wave([2, 4, 3], 0.3, 2), wave([4], 0.7), wave([4], 1.1)], {
      tolerance: 1e-6,
    });
  });

  it.each([
    [[2, 4, 3], 3],
    [[2, 4, 3], 0],
    [[4], 2],
  ])('refuses %j in %d groups', (shape, groups) => {
    expect(() => graphOf((x) => groupNorm(x, { groups }), [wave(shape)])).toThrow(/a divisor of channels/);
  });
});

describe('adamUpdate', () => {
  it('takes the published step, from scaled moments', () => {
    const [beta1, beta2, epsilon, rate] = [0.9, 0.95, 1e-8, 1e-3];
    const gradients = [wave([3]), wave([3], 1), wave([3], 2)].map(({ data }) => data);
    // Kingma and Ba (2015), algorithm 1.
    let m = [0, 0, 0];
    let v = [0, 0, 0];
    let [mean, variance] = [wave([3], 0, 0), wave([3], 0, 0)];
    gradients.forEach((g, i) => {
      const k = i + 1;
      m = m.map((x, j) => beta1 * x + (1 - beta1) * g[j]);
      v = v.map((x, j) => beta2 * x + (1 - beta2) * g[j] ** 2);
      const step = m.map(
        (x, j) => (-rate * (x / (1 - beta1 ** k))) / (Math.sqrt(v[j] / (1 - beta2 ** k)) + epsilon),
      );
      const [c1, c2] = [(1 - beta1) / (1 - beta1 ** k), (1 - beta2) / (1 - beta2 ** k)];
      const scalars = [floats([(-rate * c1) / Math.sqrt(c2)], []), floats([epsilon / Math.sqrt(c2)], [])];
      const all = evaluate(
        (gradient, oldMean, oldVariance, stepSize, e) => {
          const next = adamUpdate(
            { gradient, mean: oldMean, variance: oldVariance, stepSize, epsilon: e },
            { beta1, beta2 },
          );
          return concat([next.update, next.mean, next.variance].map((x) => reshape(x, [1, 3])));
        },
        [floats([...g]), mean, variance, ...scalars],
      );
      [mean, variance] = [1, 2].map((row) => floats([...all.data.subarray(3 * row, 3 * row + 3)])) as [
        typeof mean,
        typeof mean,
      ];
      expectClose(all.data.subarray(0, 3), step, 1e-14);
      expectClose(
        mean.data.map((x) => x * (1 - beta1)),
        m,
        1e-14,
      );
      expectClose(
        variance.data.map((x) => x * (1 - beta2)),
        v,
        1e-14,
      );
    });
  });
});

describe('callComposite', () => {
  it('traces a decomposition once for operands and parameters of a kind', () => {
    let traced = 0;
    const power: CompositeDefinition<{ readonly exponent: number; readonly scale?: number }> = {
      name: 'power',
      decompose: ([x], { exponent, scale = 1 }) => {
        traced++;
        let product = mul(x!, scale);
        for (let i = 1; i < exponent; i++) product = mul(product, x!);
        return [product];
      },
    };
    const call = (x: Tensor, exponent: number, scale?: number) =>
      callComposite(power, [x], { exponent, ...(scale !== undefined && { scale }) })[0]!;
    const f = (x: Tensor) => add(call(call(x, 2), 2), call(x, 2));
    expect(evaluate(f, [floats([2, 3])]).data).toEqual(Float64Array.of(20, 90));
    expect(traced).toBe(1);
    expect(evaluate((x) => call(x, 3), [floats([2])]).data).toEqual(Float64Array.of(8));
    expect(traced).toBe(2);
    expect(evaluate((x) => call(x, 3), [floats([2], [1, 1])]).data).toEqual(Float64Array.of(8));
    // −0 is not 0.
    const signs = [0, -0].map((scale) => 1 / evaluate((x) => call(x, 1, scale), [floats([2])]).data[0]!);
    expect(signs).toEqual([Infinity, -Infinity]);
    expect(traced).toBe(5);
  });

  it('traces a decomposition anew where it captures tensors, or its parameters are functions', () => {
    let traced = 0;
    const captured: { by?: Tensor } = {};
    const scaled: CompositeDefinition = {
      name: 'scaled',
      decompose: ([x]) => (traced++, [mul(x!, captured.by!)]),
    };
    const f = (x: Tensor) => {
      captured.by = add(x, 1);
      const once = callComposite(scaled, [x], {})[0]!;
      captured.by = add(x, 2);
      return add(once, callComposite(scaled, [x], {})[0]!);
    };
    expect(evaluate(f, [floats([3])]).data).toEqual(Float64Array.of(27));
    expect(traced).toBe(2);
  });

  /** (a, b) → (a·b, a + b), with a derivative that says whose it is: tangents ten times too large. */
  const pair: CompositeDefinition<{ readonly scale: number }> = {
    name: 'pair',
    decompose: ([a, b], { scale }) => [mul(scale, mul(a, b)), add(a, b)],
  };
  const loud: CompositeDefinition<{ readonly scale: number }> = {
    ...pair,
    name: 'loud',
    jvp: ({ inputs: [a], tangents: [da, db] }) => [
      undefined,
      da && db ? mul(10, add(da, db)) : mul(10, mul(a, 0)),
    ],
  };

  it('has several results, and the derivatives of its body by default', () => {
    const f = (a: Tensor, b: Tensor) => {
      const [product, total] = callComposite(pair, [a, b], { scale: 3 });
      return mul(product, total);
    };
    checkDerivatives(f, [wave([3]), wave([3], 1)]);
  });

  it('uses the derivative that it is given, with results that do not move', () => {
    const f = (a: Tensor, b: Tensor) => callComposite(loud, [a, b], { scale: 3 });
    const tangents = evaluate(
      (a, b) => {
        const [product, total] = jvp((s: Tensor, t: Tensor) => [...f(s, t)], [a, b], [1, 2])[1];
        return add(mul(1000, product), total);
      },
      [wave([2]), wave([2])],
    );
    expect([...tangents.data]).toEqual([30, 30]);
  });

  it('takes what its decomposition captures as further operands', () => {
    const gradient = evaluate(
      (x, w) => {
        const scaled: CompositeDefinition = { name: 'scaled', decompose: ([a]) => [mul(a, w)] };
        return grad((p: Tensor) => {
          const inner: CompositeDefinition = { name: 'inner', decompose: ([a]) => [mul(a, p)] };
          return sum(callComposite(scaled, [callComposite(inner, [x], {})[0]], {})[0]);
        })(x);
      },
      [floats([2, 3]), floats([5, 7])],
    );
    expectClose(gradient.data, [10, 21]);
  });

  it('is transposed through its body where a derivative uses it as a linear map', () => {
    /** (x, w) → (x·w, 2x), linear in x. */
    const linear: CompositeDefinition = { name: 'linear', decompose: ([x, w]) => [mul(x, w), mul(2, x)] };
    const outer: CompositeDefinition = {
      name: 'outer',
      decompose: ([x, w]) => callComposite(linear, [sin(x), w], {}),
      jvp: ({ inputs: [x, w], tangents: [dx] }) => callComposite(linear, [mul(dx!, cos(x)), w], {}),
    };
    const f = (x: Tensor, w: Tensor) => {
      const [a, b] = callComposite(outer, [x, stopGradient(w)], {});
      return add(mul(a, b), mul(a, 0.5));
    };
    checkDerivatives((x) => f(x, constant([2, -1, 3])), [wave([3])]);
    // One of two results alone has a cotangent.
    checkDerivatives((x) => callComposite(outer, [x, constant([2, -1, 3])], {})[1], [wave([3])]);
  });

  it('is one instruction until it is inlined, and merges with its equals only', () => {
    const graph = graphOf(
      (a, b) => {
        const call = (scale: number) => callComposite(pair, [a, b], { scale })[0];
        return [call(1), call(1), call(2), call(NaN), call(NaN), call(0), call(-0)].reduce((x, y) =>
          add(x, y),
        );
      },
      [wave([2]), wave([2])],
    );
    expect(graph.stats().ops['pair']).toBe(7);
    // NaN is not null, and −0 is not 0.
    expect(simplify(graph).stats().ops['pair']).toBe(5);
    expect(prepare(graph).stats().ops['pair']).toBeUndefined();
  });

  it('tells apart parameters that are functions or objects', () => {
    type Shift = { readonly shift: (x: Tensor) => Tensor };
    const apply: CompositeDefinition<Shift> = { name: 'apply', decompose: ([a], { shift }) => [shift(a)] };
    const [up, down] = [(x: Tensor) => add(x, 1), (x: Tensor) => add(x, -1)];
    const value = evaluate(
      (a) => {
        const call = (shift: Shift['shift']) => callComposite(apply, [a], { shift })[0];
        return add(mul(call(up), 100), add(call(down), mul(call(up), constant(0))));
      },
      [floats([5])],
    );
    expect([...value.data]).toEqual([604]);
  });
});

describe('prepare', () => {
  const derivative = (f: TensorFunction) => graphOf((x) => grad((t: Tensor) => sum(f(t)))(x), [kinkFree]);
  const both = (f: TensorFunction) =>
    graphOf((x) => add(f(x), grad((t: Tensor) => sum(f(t)))(x)), [kinkFree]);
  const hasKernel = (call: CompositeCall) => !['fused', undefined].includes(builtInComposite(call));

  it('keeps a composite that the backend has a kernel for', () => {
    expect(prepare(graphOf(silu, [kinkFree]), { hasKernel }).stats().ops).toEqual({ silu: 1 });
  });

  it('takes it apart where its inside is computed beside it', () => {
    const ops = prepare(both(silu), { hasKernel }).stats().ops;
    expect([ops['silu'], ops['sigmoid']]).toEqual([undefined, 1]);
    const exact = prepare(
      both((x) => gelu(x)),
      { hasKernel },
    ).stats().ops;
    expect([exact['gelu'], exact['erfc']]).toEqual([undefined, 1]);
  });

  it('keeps it where its derivative needs the result only', () => {
    expect(prepare(both(softmax), { hasKernel }).stats().ops['softmax']).toBe(1);
    expect(
      prepare(
        both((x) => softplus(x)),
        { hasKernel },
      ).stats().ops['softplus'],
    ).toBe(1);
  });

  it('drops a composite of which the derivative is all that is wanted', () => {
    expect(
      prepare(
        derivative((x) => softplus(x)),
        { hasKernel },
      ).stats().ops,
    ).toEqual({ sigmoid: 1 });
  });
});
