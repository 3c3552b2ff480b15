/**
 * Images at twice and at half the resolution, through a small separable filter (such as [1, 3, 3, 1]) instead of dropping
 * or repeating pixels (Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019). Each channel is an image of its
 * own, and the filter is a constant of the network. And by means of two by two pixels and repetitions, without a filter.
 */
import { broadcastTo, constant, conv, einsum, transpose, type ConvWindow, type Tensor } from '@meanflow/core';
import * as z from 'zod';

/** An even number of taps, whose sum is not 0. */
export const resampleFilter = z
  .array(z.number())
  .min(2)
  .readonly()
  .refine((taps) => taps.length % 2 === 0 && taps.reduce((total, tap) => total + tap, 0) !== 0, {
    error: 'expected an even number of taps whose sum is not 0.',
  });

/** The two-dimensional filter, its elements adding up to 1; `[taps][taps]`. */
export function filterKernel(filter: readonly number[]): readonly (readonly number[])[] {
  const sum = filter.reduce((total, tap) => total + tap, 0);
  return filter.map((row) => filter.map((column) => (row * column) / (sum * sum)));
}

/** `[batch, channels, height, width] → [batch, channels, height / 2, width / 2]` */
export function downsample(x: Tensor, filter: readonly number[]): Tensor {
  const margin = filter.length / 2 - 1;
  return filtered(x, filterKernel(filter), { strides: [2, 2], padding: [[margin, margin], [margin, margin]] }); // prettier-ignore
}

/** `[batch, channels, height, width] → [batch, channels, 2 · height, 2 · width]`; a constant image keeps its value. */
export function upsample(x: Tensor, filter: readonly number[]): Tensor {
  // A pixel spreads by the filter, so that the window that gathers from pixels and gaps is the filter reversed.
  const kernel = filterKernel([...filter].reverse()).map((row) => row.map((tap) => 4 * tap));
  const margin = filter.length / 2;
  return filtered(x, kernel, { lhsDilation: [2, 2], padding: [[margin, margin], [margin, margin]] }); // prettier-ignore
}

function filtered(x: Tensor, kernel: readonly (readonly number[])[], window: Partial<ConvWindow>): Tensor {
  const [channels, taps] = [x.shape[1]!, kernel.length];
  const each = broadcastTo(constant([[kernel]]), [channels, 1, taps, taps]);
  return conv(x, each, { ...window, groups: channels });
}

/** Means of two by two pixels: `[batch, channels, height, width] → [batch, channels, height / 2, width / 2]` */
export function halved(x: Tensor): Tensor {
  const [height, width] = x.shape.slice(2) as [number, number];
  return resized(x, pairs(height / 2, 0.5), pairs(width / 2, 0.5));
}

/** Each pixel four times: `[batch, channels, height, width] → [batch, channels, 2 · height, 2 · width]` */
export function doubled(x: Tensor): Tensor {
  const [height, width] = x.shape.slice(2) as [number, number];
  return resized(x, transpose(pairs(height, 1), [1, 0]), transpose(pairs(width, 1), [1, 0]));
}

/** Lines and columns as combinations of those there are: products, as are the derivatives, and faster than sums of two numbers. */
const resized = (x: Tensor, lines: Tensor, columns: Tensor): Tensor =>
  einsum('yh,bchx->bcyx', lines, einsum('bchw,xw->bchx', x, columns));

/** `[n, 2 n]`, with a weight where row i meets columns 2 i and 2 i + 1. */
const pairs = (n: number, weight: number): Tensor =>
  constant(
    Array.from({ length: n }, (_, i) =>
      Array.from({ length: 2 * n }, (__, j) => (Math.floor(j / 2) === i ? weight : 0)),
    ),
  );
