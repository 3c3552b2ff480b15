/** The library's products against the reference interpreter, in sessions: shapes of every kind of panel, strides, stacks, threads. */
import { add, einsum, matmul, mul, reshape, sizeOf, slice, spec, tanh, trace, transpose, HostArray, type Shape, type Tensor } from '@meanflow/core'; // prettier-ignore
import { interpret } from '@meanflow/core/backend';
import { ortBackend, type OrtBackend } from '../../src/index.js';
import { ort } from '../support.js';
import { hasOwnKernels, testOwnKernels } from './own-kernels.js';

// Elsewhere there is no library of them.
const test = testOwnKernels;

let backend: OrtBackend;
beforeAll(async () => {
  if (hasOwnKernels) backend = await ortBackend({ ort, threads: 3, binding: 'native', kernels: true });
});
afterAll(() => backend?.dispose());

const wave = (shape: Shape, phase: number) =>
  new HostArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.7 * i * (phase + 1) + phase)),
  );

/** The largest difference, in units of the sums of sizes that the terms have. */
async function errorOf(f: (...inputs: Tensor[]) => Tensor, shapes: readonly Shape[], terms: number) {
  const { graph } = trace((given: Tensor[]) => f(...given), shapes.map((shape) => spec(shape))); // prettier-ignore
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`${i}`, wave(shape, i)]));
  const executable = await backend.compile(graph);
  const { output } = await executable.run(inputs);
  const found = (await output!.read()).data;
  await executable.dispose();
  const expected = interpret(graph, inputs)['output']!.data;
  let worst = 0;
  expected.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - found[i]!))));
  return worst / Math.sqrt(terms);
}

describe('Product', () => {
  // Whole panels of rows and columns, parts of them, several blocks in each direction, sums in parts, one row, one column.
  test.each([
    [1, 1, 1],
    [8, 16, 48],
    [7, 5, 3],
    [9, 33, 49],
    [17, 513, 65],
    [300, 20, 100],
    [64, 64, 64],
    [3, 520, 780],
    [1, 300, 500],
    [500, 300, 1],
  ])('%i × %i × %i, of every orientation', async (m, k, n) => {
    for (const [left, right] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      const turned = (x: Tensor, by: number | undefined) => (by === 1 ? transpose(x, [1, 0]) : x);
      const f = (x: Tensor, y: Tensor) => matmul(turned(x, left), turned(y, right));
      const shapes = [left === 1 ? [k, m] : [m, k], right === 1 ? [n, k] : [k, n]];
      expect(await errorOf(f, shapes, k)).toBeLessThan(3e-6);
    }
  }); // prettier-ignore

  test('of no terms is 0', async () => {
    expect(await errorOf((x, y) => matmul(x, y), [[5, 0], [0, 20]], 1)).toBe(0); // prettier-ignore
  });

  test('does attention on heads that lie side by side, and writes them so', async () => {
    const attend = (x: Tensor, out: Tensor) => {
      const parts = transpose(reshape(x, [3, 10, 3, 4, 24]), [2, 0, 3, 1, 4]);
      const part = (i: number) =>
        reshape(slice(parts, [i, 0, 0, 0, 0], [i + 1, 3, 4, 10, 24]), [3, 4, 10, 24]);
      const scores = tanh(einsum('bhqd,bhkd->bhqk', mul(part(0), 0.2), part(1)));
      const heads = einsum('bhqk,bhkd->bhqd', scores, part(2));
      return matmul(reshape(transpose(heads, [0, 2, 1, 3]), [30, 96]), out);
    };
    expect(await errorOf(attend, [[30, 288], [96, 40]], 96)).toBeLessThan(1e-5); // prettier-ignore
  });

  test('adds a bias or another product, in every part of every panel', async () => {
    for (const [m, k, n] of [[11, 20, 70], [200, 900, 96], [40, 3, 1000]] as const) {
      const biased = (x: Tensor, y: Tensor, bias: Tensor) => add(mul(matmul(x, y), -0.5), bias);
      expect(await errorOf(biased, [[m, k], [k, n], [n]], k)).toBeLessThan(3e-6);
      const two = (x: Tensor, y: Tensor, z: Tensor, w: Tensor) => add(matmul(x, y), matmul(z, w));
      expect(await errorOf(two, [[m, k], [k, n], [m, 7], [7, n]], k)).toBeLessThan(3e-6);
    }
  }); // prettier-ignore

  test('takes a bias by the row', async () => {
    const f = (x: Tensor, y: Tensor, bias: Tensor) => add(matmul(x, y), reshape(bias, [30, 1]));
    expect(await errorOf(f, [[30, 8], [8, 64], [30]], 8)).toBeLessThan(3e-6); // prettier-ignore
  });
});
