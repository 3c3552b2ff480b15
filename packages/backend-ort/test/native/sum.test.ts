/** The library's sums against the reference interpreter: rows, columns, stacks, parts for threads, and what roundings come to. */
import { HostArray, sizeOf, spec, sum, trace, type Shape } from '@meanflow/core';
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

async function sumOf(x: HostArray<'float32'>, axes: readonly number[]) {
  const { graph } = trace((given) => sum(given, axes), spec(x.shape));
  const executable = await backend.compile(graph);
  const { output } = await executable.run({ input: x });
  const found = await output!.read();
  await executable.dispose();
  return { found, expected: interpret(graph, { input: x })['output']! };
}

const wave = (shape: Shape) =>
  new HostArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => 1 + Math.sin(1.7 * i)),
  );

describe('Sum', () => {
  test.each<[Shape, number[]]>([
    [[7], [0]],
    [[5000], [0]],
    [[3, 5], [0]],
    [[3, 5], [1]],
    [[2, 70000], [1]],
    [[1100, 600], [0]],
    [
      [1100, 600],
      [0, 1],
    ],
    [[16, 64, 192], [1]],
    [
      [16, 64, 192],
      [0, 1],
    ],
    [
      [4, 3, 5, 6],
      [0, 2],
    ],
    [
      [4, 3, 5, 6],
      [1, 3],
    ],
    [[2, 1, 40000], [1]],
    [[1, 5], [0]],
    [[2, 40000, 2], [1]],
  ])('of %j over %j', async (shape, axes) => {
    const { found, expected } = await sumOf(wave(shape), axes);
    expect(found.shape).toEqual(expected.shape);
    found.data.forEach((x, i) =>
      expect(Math.abs(x - expected.data[i]!)).toBeLessThanOrEqual(4e-7 * expected.data[i]!),
    );
  });

  test('loses nothing of many equal terms', async () => {
    const ones = new HostArray('float32', [2 ** 21, 3], new Float32Array(3 * 2 ** 21).fill(0.1));
    const { found } = await sumOf(ones, [0]);
    for (const x of found.data) expect(Math.abs(x / (0.1 * 2 ** 21) - 1)).toBeLessThan(1e-6);
    const row = new HostArray('float32', [2 ** 22], new Float32Array(2 ** 22).fill(0.1));
    expect(Math.abs((await sumOf(row, [0])).found.item() / (0.1 * 2 ** 22) - 1)).toBeLessThan(1e-6);
  });

  test('passes on what is no number', async () => {
    const x = wave([40, 100]);
    x.data[517] = NaN;
    x.data[20] = Infinity;
    const { found } = await sumOf(x, [0]);
    expect(found.data[17]).toBeNaN();
    expect(found.data[20]).toBe(Infinity);
    expect(found.data[18]).toBeGreaterThan(0);
  });
});
