/**
 * The kernel table without a device's repairs, as TensorFlow's kernels run it (`tfjs:node-gpu`). It runs here on the CPU
 * kernels of the same names, which mean the same.
 */
import * as mf from '@meanflow/core';
import { backendOn } from '@meanflow/core/backend';
import { deviceOf } from '../src/device.js';
import { openEngineDevice } from '../src/devices.js';
import { planKernels } from '../src/kernels/plan.js';
import { loadTf } from '../src/runtime.js';
import { bools, check as checkOn, floats, ints, normal, tf, type Accuracy } from './support.js';

const core = await loadTf(tf);
const device = await openEngineDevice(core, 'cpu', { kernels: () => import('@tensorflow/tfjs-backend-cpu') });
const backend = backendOn(
  deviceOf(core, device, (program, source) => planKernels(program, { ...source, tfjsName: 'tensorflow' })),
);

const check = (
  f: (...inputs: mf.Tensor[]) => mf.Tensor,
  inputs: readonly mf.HostArray[],
  accuracy: Accuracy = 'exact',
): Promise<void> => checkOn(backend, f, inputs, accuracy);

const x = normal([4, 6, 5]);
const arrays: [string, mf.HostArray][] = [
  ['float32', x],
  ['int32', ints(Array.from(x.data, (v) => Math.trunc(v * 100)), [4, 6, 5])],
  ['bool', bools(Array.from(x.data, (v) => Number(v > 0)), [4, 6, 5])],
]; // prettier-ignore

describe.each(arrays)('%s moves', (_, array) => {
  test('in slices with steps', async () => {
    await check((t) => mf.slice(t, [1, 0, 1], [4, 6, 5], [2, 1, 3]), [array]);
    await check((t) => mf.slice(t, [0, 1, 2], [4, 6, 4], [3, 2, 1]), [array]);
    await check((t) => mf.slice(t, [1, 2, 3], [2, 4, 5]), [array]);
  });

  test('into padding around and between elements', async () => {
    await check((t) => mf.pad(t, { low: [1, 0, 2], high: [0, 3, 0] }), [array]);
    await check((t) => mf.pad(t, { interior: [1, 0, 2] }), [array]);
    await check((t) => mf.pad(t, { low: [0, 1, 0], high: [1, 0, 2], interior: [0, 3, 1] }), [array]);
  });

  test('by transposition, reversal, repetition and concatenation', async () => {
    await check((t) => mf.transpose(t, [2, 0, 1]), [array]);
    await check((t) => mf.reverse(t, [0, 2]), [array]);
    await check((t) => mf.broadcastTo(t.reshape([4, 1, 30]), [2, 4, 3, 30]), [array]);
    await check((t) => mf.concat([t, mf.slice(t, [0, 1, 0], [4, 3, 5]), t], 1), [array]);
  });
});

test('signs, absolute values and quotients of integers', async () => {
  const left = ints([0, 7, -7, 7, -7, 100000, 2147483647, -2147483648, 5]);
  const right = ints([3, 2, 2, -2, -2, 7, -1, 3, 0]);
  for (const f of [mf.neg, mf.abs, mf.sign]) await check(f, [left]);
  await check(mf.div, [left, right]);
  await check(mf.sign, [floats([0, -0, NaN, 3, -1e-30, Infinity])]);
});

test('selections, casts and comparisons', async () => {
  const condition = bools([1, 0, 1, 0], [2, 2]);
  await check(mf.where, [condition, floats([1, 2, 3, 4], [2, 2]), floats([5], [])]);
  await check(mf.where, [condition, bools([1, 1, 0, 0], [2, 2]), bools([0, 1])]);
  for (const dtype of ['float32', 'int32', 'bool'] as const) {
    for (const [, array] of arrays) await check((t) => mf.cast(t, dtype), [array]);
  }
});

test('convolutions, products and indexing', async () => {
  const images = normal([2, 4, 6, 5]);
  await check((a, b) => mf.conv(a, b, { groups: 2, strides: [2, 1] }), [images, normal([6, 2, 3, 3], 'k')], 'sum');
  await check((a, b) => mf.conv(a, b, { lhsDilation: [2, 1], padding: [[1, -1], [0, 2]] }), [images, normal([3, 4, 3, 3], 'k')], 'sum');
  await check((a, b) => mf.einsum('bhqd,bkhd->bhqk', a, b), [normal([2, 3, 5, 4]), normal([2, 6, 3, 4], 'y')], 'sum');
  await check((t, i) => mf.gather(t, i), [x, ints([3, 0, 0, 2], [2, 2])]);
  await check((u, i) => mf.scatterAdd(u, i, 5), [x, ints([0, 4, 4, 1])], 'sum');
}); // prettier-ignore
