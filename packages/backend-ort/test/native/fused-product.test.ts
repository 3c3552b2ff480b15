/** Products within fused calls, and fused calls that read slices where they lie: values, and that it is done where it can be. */
import { add, concat, einsum, gelu, layerNorm, matmul, mul, reshape, sin, slice, softmax, sub, tanh, transpose, type Tensor } from '@meanflow/core'; // prettier-ignore
import type { OrtBackend } from '../../src/index.js';
import { hasOwnKernels, testOwnKernels } from './own-kernels.js';
import { graphOf, largestError, nodesOf, ownBackend, type Case } from './session.js';

const test = testOwnKernels;

let backend: OrtBackend;
beforeAll(async () => {
  if (hasOwnKernels) backend = await ownBackend(3);
});
afterAll(() => backend?.dispose());

const count = (given: Case, op: string) => nodesOf(graphOf(given)).filter((other) => other === op).length;

describe('a product that one fused call reads is within it', () => {
  const activated = (x: Tensor, y: Tensor, bias: Tensor) =>
    gelu(add(matmul(x, y), bias), { approximate: 'tanh' });

  // Rows of one panel and of many blocks, ends of panels in both directions, sums in one and in several parts.
  test.each([
    [8, 16, 8],
    [70, 33, 49],
    [300, 390, 65],
    [1000, 900, 130],
    [129, 1, 17],
  ])('%i × %i × %i with a bias and an activation', async (m, k, n) => {
    for (const constants of [[], [1]]) {
      const given = { f: activated, shapes: [[m, k], [k, n], [n]], constants };
      expect(await largestError(backend, given)).toBeLessThan(3e-6 * Math.sqrt(k));
    }
    expect(count({ f: activated, shapes: [[m, k], [k, n], [n]] }, 'FusedProduct')).toBe(1);
    expect(count({ f: activated, shapes: [[m, k], [k, n], [n]] }, 'Product')).toBe(0);
  }); // prettier-ignore

  test('where rows are normalised, with a residual and a modulation, and several results', async () => {
    const f = (x: Tensor, y: Tensor, residual: Tensor, scale: Tensor) => {
      const sum = add(residual, mul(reshape(matmul(x, y), [4, 25, 40]), reshape(scale, [4, 1, 40])));
      return [sum, layerNorm(sum)];
    };
    const given = { f, shapes: [[100, 30], [30, 40], [4, 25, 40], [4, 40]] };
    expect(count(given, 'FusedProduct')).toBe(1);
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  }); // prettier-ignore

  test('of every head and image, with strides, and the softmax of its rows', async () => {
    const f = (x: Tensor) => {
      const parts = transpose(reshape(x, [3, 20, 3, 4, 24]), [2, 0, 3, 1, 4]);
      const part = (i: number) =>
        reshape(slice(parts, [i, 0, 0, 0, 0], [i + 1, 3, 4, 20, 24]), [3, 4, 20, 24]);
      return einsum(
        'bhqk,bhkd->bhqd',
        softmax(mul(0.2, einsum('bhqd,bhkd->bhqk', part(0), part(1)))),
        part(2),
      );
    };
    const given = { f, shapes: [[60, 288]] };
    expect(count(given, 'FusedProduct')).toBe(1);
    expect(await largestError(backend, given)).toBeLessThan(3e-6);
  });

  test('with what is added to it by rows', async () => {
    const f = (x: Tensor, y: Tensor, z: Tensor, w: Tensor) => sin(tanh(add(matmul(x, y), matmul(z, w))));
    const given = { f, shapes: [[90, 20], [20, 30], [90, 7], [7, 30]] };
    expect(count(given, 'FusedProduct')).toBe(1);
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  }); // prettier-ignore

  test('with a single instruction after it', async () => {
    const given = { f: (x: Tensor, y: Tensor, z: Tensor) => mul(matmul(x, y), z), shapes: [[50, 9], [9, 40], [50, 40]] };
    expect(count(given, 'FusedProduct')).toBe(1);
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  }); // prettier-ignore

  test('and not where somebody else reads it, where it leaves the graph itself, or where rows are few and must be laid out anew', async () => {
    const shapes = [[64, 12], [12, 32]]; // prettier-ignore
    const twice = (x: Tensor, y: Tensor) => {
      const z = matmul(x, y);
      return [sin(tanh(mul(z, 3))), matmul(z, transpose(z, [1, 0]))].map((made) => tanh(mul(made, 0.1)));
    };
    const kept = (x: Tensor, y: Tensor) => {
      const z = matmul(x, y);
      return [z, matmul(transpose(sin(tanh(z)), [1, 0]), z)];
    };
    // Along two axes of what it is combined with.
    const crossed = (x: Tensor, y: Tensor) => {
      const z = matmul(x, y);
      return sin(mul(reshape(z, [64, 32, 1]), reshape(tanh(z), [64, 1, 32])));
    };
    for (const f of [twice, kept, crossed])
      expect(await largestError(backend, { f, shapes })).toBeLessThan(1e-4);
    expect(count({ f: kept, shapes }, 'FusedProduct')).toBe(0);
    const few = { f: (x: Tensor, y: Tensor) => matmul(x, y).tanh().sin().tanh(), shapes: [[2, 60], [60, 90]] }; // prettier-ignore
    expect(count(few, 'FusedProduct')).toBe(0);
    expect(await largestError(backend, few)).toBeLessThan(1e-5);
    expect(await largestError(backend, { ...few, constants: [1] })).toBeLessThan(1e-5);
  });

  test('and not where it is written in another order than that of its rows', async () => {
    const stacked = (x: Tensor, y: Tensor) => einsum('abik,abkj->abij', x, y);
    const shapes = [[2, 3, 9, 5], [2, 3, 5, 8]];
    for (const order of [[0, 2, 1, 3], [1, 0, 2, 3]]) {
      const given = { f: (x: Tensor, y: Tensor) => sin(tanh(transpose(stacked(x, y), order))), shapes };
      expect([count(given, 'FusedProduct'), count(given, 'Transpose')]).toEqual([0, 0]);
      expect(await largestError(backend, given)).toBeLessThan(1e-5);
    }
  }); // prettier-ignore

  test('of two that a call reads, the larger one', async () => {
    const f = (x: Tensor, y: Tensor, z: Tensor, w: Tensor) => sub(tanh(matmul(x, y)), sin(tanh(matmul(z, w))));
    const given = { f, shapes: [[40, 5], [5, 24], [40, 50], [50, 24]] };
    expect([count(given, 'FusedProduct'), count(given, 'Product')]).toEqual([1, 1]);
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  }); // prettier-ignore
});

describe('slices are read where they lie', () => {
  test('of rows, of columns, of both, and of what was sliced', async () => {
    const f = (x: Tensor, y: Tensor) => {
      const rows = slice(x, [5, 0, 0], [9, 6, 40]);
      const columns = slice(y, [0, 10], [4, 50]);
      const inner = slice(slice(x, [1, 0, 0], [9, 6, 40]), [2, 0, 0], [6, 6, 40]);
      return tanh(add(mul(rows, reshape(columns, [4, 1, 40])), inner));
    };
    const given = { f, shapes: [[10, 6, 40], [4, 60]] };
    expect(nodesOf(graphOf(given))).toEqual(['Fused']);
    expect(await largestError(backend, given)).toBeLessThan(1e-6);
  }); // prettier-ignore

  test('of a product, of which others read all', async () => {
    const f = (x: Tensor, y: Tensor) => {
      const z = matmul(x, y);
      const part = (i: number) => slice(z, [0, 16 * i], [30, 16 * i + 16]);
      return [concat([sin(tanh(part(1))), part(0)], 1), mul(sin(part(2)), part(0))];
    };
    const given = { f, shapes: [[30, 8], [8, 48]] };
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  }); // prettier-ignore

  test('with steps along an axis, and a single element', async () => {
    const f = (x: Tensor) => {
      const every = slice(x, [0, 1, 0], [6, 7, 20], [2, 3, 1]);
      const one = reshape(slice(x, [3, 2, 5], [4, 3, 6]), []);
      return sin(mul(tanh(every), one));
    };
    expect(await largestError(backend, { f, shapes: [[6, 7, 20]] })).toBeLessThan(1e-6);
    const across = (x: Tensor) => sin(tanh(slice(x, [0, 0], [9, 20], [1, 2])));
    expect(await largestError(backend, { f: across, shapes: [[9, 20]] })).toBeLessThan(1e-6);
  }); // prettier-ignore
});
