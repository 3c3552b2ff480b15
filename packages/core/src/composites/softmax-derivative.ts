/** Softmax's Jacobian in the form that the composite and attention in tiles share. */
import { mul, sub, sum } from '../functions.js';
import type { Tensor } from '../tensor.js';

/** The derivative of softmax over the last axis where it is `y`, times `dx`: symmetric, hence the same in reverse mode. */
export function softmaxDerivative(y: Tensor, dx: Tensor): Tensor {
  const weighted = mul(dx, y);
  return sub(weighted, mul(y, sum(weighted, -1, { keepDims: true })));
}
