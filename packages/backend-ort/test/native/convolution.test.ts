/** Convolutions by strides: their values, whatever the window, and that the movements around them are not carried out. */
import fc from 'fast-check';
import { conv, grad, jvp, mul, reverse, sin, sizeOf, sum, transpose, type ConvWindow, type Tensor } from '@meanflow/core'; // prettier-ignore
import type { OrtBackend } from '../../src/index.js';
import { hasOwnKernels, testOwnKernels } from './own-kernels.js';
import { graphOf, largestError, nodesOf, ownBackend, type Case } from './session.js';

const test = testOwnKernels;

let backend: OrtBackend;
beforeAll(async () => {
  if (hasOwnKernels) backend = await ownBackend(3);
});
afterAll(() => backend?.dispose());

const convolved =
  (window: Partial<ConvWindow> = {}) =>
  (x: Tensor, k: Tensor) =>
    conv(x, k, window);

const same = (n: number): Partial<ConvWindow> => ({ padding: [[n, n], [n, n]] }); // prettier-ignore

// Sums of many terms of about 1, in another order than the reference's.
const tolerance = (terms: number) => 3e-7 * terms + 1e-6;

test.each([
  // Whole vectors, their parts and single places; one image in bands and several at a time; ends of panels in all directions.
  ['16 × 16', [5, 12, 16, 16], [16, 12, 3, 3], same(1)],
  ['8 × 8', [9, 7, 8, 8], [13, 7, 3, 3], same(1)],
  ['4 × 4', [40, 5, 4, 4], [8, 5, 3, 3], same(1)],
  ['7 × 7', [11, 6, 7, 7], [9, 6, 3, 3], same(1)],
  ['28 × 28 in bands', [2, 3, 28, 28], [5, 3, 3, 3], same(1)],
  ['30 × 19', [2, 4, 30, 19], [6, 4, 5, 5], same(2)],
  ['more channels than are summed at a time', [2, 130, 6, 6], [10, 130, 3, 3], same(1)],
  ['steps', [3, 4, 15, 17], [5, 4, 3, 3], { strides: [2, 3], padding: [[1, 0], [0, 2]] }],
  ['gaps', [3, 4, 15, 17], [5, 4, 3, 3], { rhsDilation: [2, 3], padding: [[2, 2], [3, 3]] }],
  ['cut off', [3, 4, 9, 12], [5, 4, 3, 3], { padding: [[-1, 2], [1, -3]] }],
  ['mostly margin', [2, 3, 2, 3], [4, 3, 3, 3], { padding: [[5, 4], [6, 3]] }],
  ['1 × 1', [3, 20, 5, 6], [17, 20, 1, 1], {}],
  ['a window as large as the image', [10, 6, 16, 16], [7, 6, 16, 16], same(1)],
  ['a window of more terms than are summed at a time', [4, 2, 28, 28], [9, 2, 28, 28], same(1)],
  ['one line', [4, 5, 40], [6, 5, 7], { padding: [[3, 3]] }],
] as const)('%s', async (_, x, k, window) => {
  const given: Case = { f: convolved(window as Partial<ConvWindow>), shapes: [x, k] };
  expect(nodesOf(graphOf(given))).toEqual(['Convolution']);
  expect(await largestError(backend, given)).toBeLessThan(tolerance(sizeOf(k.slice(1))));
}); // prettier-ignore

test('any window', async () => {
  const size = fc.integer({ min: 1, max: 9 });
  const pair = fc.tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: -1, max: 3 }));
  const small = fc.integer({ min: 1, max: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(size, size, size, size, size),
      fc.tuple(small, small, small, small, small, small),
      fc.tuple(pair, pair),
      async ([b, c, h, w, f], [kh, kw, sy, sx, dy, dx], padding) => {
        const extent = (n: number, axis: 0 | 1) => n + padding[axis][0] + padding[axis][1];
        fc.pre(extent(h, 0) > (kh - 1) * dy && extent(w, 1) > (kw - 1) * dx && h > 2 && w > 2);
        const window: Partial<ConvWindow> = { padding, strides: [sy, sx], rhsDilation: [dy, dx] };
        const given = { f: convolved(window), shapes: [[b, c, h, w], [f, c, kh, kw]] }; // prettier-ignore
        expect(nodesOf(graphOf(given))).toEqual(['Convolution']);
        expect(await largestError(backend, given)).toBeLessThan(tolerance(c * kh * kw));
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

describe('movements around it are not carried out', () => {
  const shapes = [[3, 10, 12, 5], [3, 3, 5, 7]]; // prettier-ignore

  test('of images and kernels whose channels are last', async () => {
    const f = (x: Tensor, k: Tensor) =>
      transpose(conv(transpose(x, [0, 3, 1, 2]), transpose(k, [3, 2, 0, 1]), same(1)), [0, 2, 3, 1]);
    expect(nodesOf(graphOf({ f, shapes }))).toEqual(['Convolution']);
    expect(await largestError(backend, { f, shapes })).toBeLessThan(1e-5);
  });

  test('of a reversed kernel', async () => {
    const f = (x: Tensor, k: Tensor) => conv(x, transpose(reverse(k, [2, 3]), [1, 0, 2, 3]), same(1));
    const given = { f, shapes: [[2, 7, 8, 8], [7, 4, 3, 3]] }; // prettier-ignore
    expect(nodesOf(graphOf(given))).toEqual(['Convolution']);
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  });

  test('where others read what was moved, it is', async () => {
    const f = (x: Tensor, k: Tensor) => {
      const y = conv(x, k, same(1));
      return [transpose(y, [0, 2, 3, 1]), sin(y)];
    };
    const given = { f, shapes: [[2, 4, 8, 8], [6, 4, 3, 3]] }; // prettier-ignore
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  });
});

test('gradients and tangents are convolutions too, without copies', async () => {
  const loss = (x: Tensor, k: Tensor) => sum(mul(sin(conv(x, k, same(1))), 0.01));
  const f = (x: Tensor, k: Tensor) => {
    const [, tangent] = jvp(
      (image: Tensor, kernel: Tensor) => conv(image, kernel, same(1)),
      [x, k],
      [sin(x), sin(k)],
    );
    return [...grad((pair: readonly Tensor[]) => loss(pair[0]!, pair[1]!))([x, k]), tangent];
  };
  const given = { f: f as Case['f'], shapes: [[6, 5, 16, 16], [12, 5, 3, 3]] }; // prettier-ignore
  const nodes = nodesOf(graphOf(given));
  expect(nodes.filter((op) => op === 'Transpose' || op === 'Conv')).toEqual([]);
  expect(nodes.filter((op) => op === 'Convolution').length).toBeGreaterThanOrEqual(4);
  expect(await largestError(backend, given)).toBeLessThan(2e-5);
});

test('with groups, or gaps in the image, it is ONNX Runtime’s', async () => {
  const grouped = { f: convolved({ groups: 2 }), shapes: [[2, 4, 6, 6], [6, 2, 3, 3]] }; // prettier-ignore
  const spread = { f: convolved({ lhsDilation: [2, 2] }), shapes: [[2, 4, 6, 6], [6, 4, 3, 3]] }; // prettier-ignore
  for (const given of [grouped, spread]) {
    expect(nodesOf(graphOf(given))).not.toContain('Convolution');
    expect(await largestError(backend, given)).toBeLessThan(1e-5);
  }
});
