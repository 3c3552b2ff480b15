/**
 * Slopes: derivatives as composites of their own, with their derivative in closed form. Differentiated by rule, an
 * expression that is accurate where it is near 1 (or a difference near 0) would lose what is left of it there.
 */
import { mul } from '../functions/elementwise.js';
import { callComposite } from '../composite.js';
import type { CompositeDefinition, Tensor } from '../tensor.js';

/** A composite of one operand and one result, without parameters. */
export type UnaryComposite = CompositeDefinition<
  Readonly<Record<never, never>>,
  readonly [Tensor],
  readonly [Tensor]
>;

/** A function of one operand, elementwise, whose derivative is `derivative` of its operand. */
export function slope(
  name: string,
  value: (x: Tensor) => Tensor,
  derivative: (x: Tensor) => Tensor,
): (x: Tensor) => Tensor {
  const definition: UnaryComposite = {
    name,
    decompose: ([x]) => [value(x)],
    jvp: ({ inputs: [x], tangents: [dx] }) => [mul(dx, derivative(x))],
  };
  return (x) => callComposite(definition, [x], {})[0];
}
