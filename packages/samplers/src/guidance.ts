/** Classifier-free guidance (Ho and Salimans, 2022): how conditional and unconditional velocities combine. */
import { add, mul, sub, type Tensor } from '@meanflow/core';
import { perRow } from './path.js';

/**
 * v_u + ω (v_c − v_u). Scale 1 is the conditional velocity, 0 the unconditional one.
 *
 * @param conditional v_c `[batch, ...features]`
 * @param unconditional v_u, of the same shape
 * @param scale ω, a scalar or `[batch]`
 */
export function guidedVelocity(conditional: Tensor, unconditional: Tensor, scale: Tensor): Tensor {
  return add(unconditional, mul(perRow(scale, conditional), sub(conditional, unconditional)));
}
