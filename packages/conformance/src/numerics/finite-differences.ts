/**
 * Derivatives of a graph by central differences of fourth order, on the float64 interpreter: the oracle for core's
 * derivative rules, from nothing but the ops' values. With a step of 2⁻⁹ the truncation error is h⁴/30·f⁗′ ≈ 5·10⁻¹³·f⁗′
 * and rounding adds 10⁻¹³·|f|: both far below float32's roundoff.
 */
import { HostArray, type Graph } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import type { NamedArrays } from './tolerance.js';

export const STEP = 2 ** -9;
/** f′ ≈ Σ weight · f(x + offset · h) / h. */
const STENCIL = [
  { offset: -2, weight: 1 / 12 },
  { offset: -1, weight: -8 / 12 },
  { offset: 1, weight: 8 / 12 },
  { offset: 2, weight: -1 / 12 },
];

/** The error that the differences themselves may have, relative to the largest element (or to 1). */
export const DIFFERENCE_ERROR = 2 ** -30;

/**
 * The derivative of every float output along a direction.
 *
 * @param direction tangents of some inputs, by name; the others are held fixed
 */
export function directionalDerivative(
  graph: Graph,
  inputs: NamedArrays,
  direction: NamedArrays,
  step = STEP,
): Record<string, HostArray<'float64'>> {
  const runs = STENCIL.map(({ offset }) => interpret(graph, shifted(inputs, direction, offset * step)));
  const floats = Object.entries(runs[0]!).filter(([, { dtype }]) => dtype === 'float64');
  return Object.fromEntries(
    floats.map(([name, { shape, size }]) => {
      const derivative = new Float64Array(size);
      runs.forEach((run, k) => {
        const { data } = run[name]!;
        for (let i = 0; i < size; i++) derivative[i]! += (STENCIL[k]!.weight * data[i]!) / step;
      });
      return [name, new HostArray('float64', shape, derivative)];
    }),
  );
}

/**
 * The gradient of Σ cotangent · output in the named inputs.
 *
 * @param cotangents by output
 */
export function differenceGradient(
  graph: Graph,
  inputs: NamedArrays,
  wrt: readonly string[],
  cotangents: NamedArrays,
): Record<string, HostArray<'float64'>> {
  return Object.fromEntries(
    wrt.map((name) => {
      const { shape, size } = inputs[name]!;
      const gradient = new Float64Array(size);
      for (let i = 0; i < size; i++) {
        const unit = new Float64Array(size);
        unit[i] = 1;
        const along = directionalDerivative(graph, inputs, {
          [name]: new HostArray('float64', shape, unit),
        });
        gradient[i] = Object.entries(cotangents).reduce(
          (total, [output, { data }]) => total + dot(data, along[output]!.data),
          0,
        );
      }
      return [name, new HostArray('float64', shape, gradient)];
    }),
  );
}

function shifted(inputs: NamedArrays, direction: NamedArrays, by: number): Record<string, HostArray> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, array]) => {
      if (!(name in direction)) return [name, array];
      const data = Float64Array.from(array.data, (x, i) => x + by * direction[name]!.data[i]!);
      return [name, new HostArray('float64', array.shape, data)];
    }),
  );
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}
