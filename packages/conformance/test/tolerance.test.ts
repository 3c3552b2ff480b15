import { add, exp, hostArray, matmul, mul, softmax, spec, sum, trace, type Tensor } from '@meanflow/core';
import { compare, expectations, UNIT_ROUNDOFF } from '../src/index.js';

const u = UNIT_ROUNDOFF;
const floats = (values: number[], shape = [values.length]) => hostArray(Float32Array.from(values), { shape });
const f64 = (values: number[]) => hostArray(Float64Array.from(values), { dtype: 'float64' });

describe('tolerances', () => {
  test('one addition has half an ulp, and none where the sum is a float32 number', () => {
    const { graph } = trace(([x, y]: Tensor[]) => add(x, y), [spec([3]), spec([3])]);
    const small = 2 ** -30;
    const { output } = expectations(graph, { 0: floats([1, 0.5, 1]), 1: floats([small, -small, 2]) });
    expect([...output.value.data]).toEqual([1 + small, 0.5 - small, 3]);
    expect(output.tolerance[0] / u).toBeCloseTo(1, 6);
    expect(output.tolerance[1] / u).toBeCloseTo(0.5, 6);
    expect(output.tolerance[2]).toBe(2 ** -126);
  });

  test('moving elements has none', () => {
    const { graph } = trace((x: Tensor) => x.transpose().reshape([4]), spec([2, 2]));
    const { output } = expectations(graph, { input: floats([1, 2, 3, 4], [2, 2]) });
    expect(Math.max(...output.tolerance)).toBe(2 ** -126);
  });

  test('a sum’s grows with the terms’ magnitudes, not with the result', () => {
    const { graph } = trace((x: Tensor) => sum(x), spec([4]));
    const { output } = expectations(graph, { input: floats([1000, -1000, 1, 0]) });
    expect(output.tolerance[0]).toBeCloseTo(4 * 2001 * u, 8);
  });

  test('errors are carried by the graph: exp multiplies those of its argument', () => {
    const f = (x: Tensor) => exp(mul(x, x));
    const { graph } = trace(f, spec([2]));
    const { output } = expectations(graph, { input: floats([0.1, 4]) });
    const relative = output.tolerance.map((t, i) => t / output.value.data[i]);
    // (6 + 4·16)u of exp and 16u of its argument, doubled; 7u at 0.01.
    expect(relative[1]).toBeGreaterThan(100 * u);
    expect(relative[1]).toBeLessThan(200 * u);
    expect(relative[0]).toBeLessThan(15 * u);
  });

  test('a float32 evaluation lies within, one of half its precision does not', () => {
    const { graph } = trace(([x, w]: Tensor[]) => softmax(matmul(x, w)), [spec([4, 32]), spec([32, 8])]);
    const random = (n: number, seed: number) => Array.from({ length: n }, (_, i) => Math.sin(seed + i * i));
    const [x, w] = [floats(random(128, 1), [4, 32]), floats(random(256, 2), [32, 8])];
    const { output } = expectations(graph, { 0: x, 1: w });
    const evaluate = (round: (value: number) => number) => {
      const rows = Array.from({ length: 4 }, (_, i) => {
        const logits = Array.from({ length: 8 }, (_, j) => {
          let total = 0;
          for (let k = 0; k < 32; k++) total = round(total + round(x.data[i * 32 + k] * w.data[k * 8 + j]));
          return total;
        });
        const e = logits.map((l) => round(Math.exp(round(l - Math.max(...logits)))));
        const total = e.reduce((a, b) => round(a + b), 0);
        return e.map((value) => round(value / total));
      });
      return floats(rows.flat(), [4, 8]);
    };
    const half = (value: number) => Math.fround(value * 4097) - Math.fround(value * 4096);
    expect(compare('y', evaluate(Math.fround), output).worst).toBeLessThan(1);
    expect(compare('y', evaluate(half), output).worst).toBeGreaterThan(10);
  });
});

describe('comparison', () => {
  const exact = { value: f64([1, NaN, Infinity, 0, 1e39]), tolerance: new Float64Array(5).fill(1e-6) };

  test('NaN is NaN, infinities are themselves, zeros have no sign, what overflows is infinite', () => {
    expect(compare('y', floats([1, NaN, Infinity, -0, Infinity]), exact)).toEqual({ worst: 0, detail: undefined });
  }); // prettier-ignore

  test.each([
    [[1, 0, Infinity, 0, Infinity], 1],
    [[1, NaN, -Infinity, 0, Infinity], 2],
    [[1, NaN, 3e38, 0, Infinity], 2],
    [[NaN, NaN, Infinity, 0, Infinity], 0],
    [[1, NaN, Infinity, 0, 3e38], 4],
  ])('%j is wrong at %i', (values, at) => {
    const { worst, detail } = compare('y', floats(values), exact);
    expect(worst).toBeGreaterThan(1e30);
    expect(detail).toContain(`element ${at} `);
  });

  test('an error is in units of its element’s tolerance', () => {
    const expected = { value: f64([1, 1]), tolerance: Float64Array.of(1e-3, 1e-1) };
    expect(compare('y', floats([1.0005, 1.05]), expected).worst).toBeCloseTo(0.5, 3);
    expect(compare('y', floats([1.002, 1.05]), expected)).toMatchObject({
      worst: expect.closeTo(2, 2),
      detail: expect.stringContaining('element 0 '),
    });
  });

  test('another shape or dtype is no result at all', () => {
    expect(compare('y', floats([1, 2], [2, 1]), exact).detail).toBe(
      'output "y" is float32[2, 1], expected float32[5]',
    );
  });
});
