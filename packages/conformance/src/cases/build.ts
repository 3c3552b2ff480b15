/** The makers of graph cases: from a function of tensors and its inputs to a case. */
import { HostArray, spec, trace, type DType, type Tensor, type TensorSpec } from '@meanflow/core';
import type { NamedArrays } from '../numerics/tolerance.js';
import type { Aspect, Feature, GraphCase, GraphCheck } from './case.js';

/** A function of tensors, one or several results. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

export interface GraphCaseOptions {
  readonly aspect?: Aspect;
  readonly features?: readonly Feature[];
}

/**
 * A case that evaluates `f`.
 *
 * @param variant what distinguishes it from other cases of the op
 * @param inputs made when the case is built
 */
export function valueCase(
  op: string,
  variant: string,
  f: TensorFunction,
  inputs: () => readonly HostArray[],
  { aspect = 'values', features = [] }: GraphCaseOptions = {},
): GraphCase {
  return {
    kind: 'graph',
    id: `${op}: ${variant}`,
    op,
    aspect,
    features,
    build: () => checkOf(op, f, inputs(), features),
  };
}

function checkOf(
  op: string,
  f: TensorFunction,
  inputs: readonly HostArray[],
  features: readonly Feature[],
): GraphCheck {
  const named = nameArrays(inputs);
  const check = { graph: traceFlat(op, f, named), inputs: named };
  return features.includes('denormal') ? { ...check, alternative: mapArrays(named, flushed) } : check;
}

/** Traces a function of tensors at the types of named arrays; results are named `0`, `1`, … */
export function traceFlat(name: string, f: TensorFunction, inputs: NamedArrays) {
  const names = Object.keys(inputs);
  return trace(
    (given: Readonly<Record<string, Tensor>>) => {
      const result = f(...names.map((key) => given[key]!));
      return [result].flat() as Tensor[];
    },
    specsOf(inputs),
    { name },
  ).graph;
}

export function specsOf(inputs: NamedArrays): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [
      name,
      spec(shape, dtype === 'float64' ? 'float32' : (dtype as DType)),
    ]),
  );
}

/** Arrays under the names `x0`, `x1`, … */
export function nameArrays(inputs: readonly HostArray[]): Record<string, HostArray> {
  return Object.fromEntries(inputs.map((array, i) => [`x${i}`, array]));
}

export function mapArrays(
  arrays: NamedArrays,
  f: (array: HostArray) => HostArray,
): Record<string, HostArray> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, f(array)]));
}

/** Denormals replaced by zeros of their sign. */
function flushed(array: HostArray): HostArray {
  if (array.dtype !== 'float32') return array;
  const data = Float32Array.from(array.data, (x) => (Math.abs(x) < 2 ** -126 ? Math.sign(x) * 0 : x));
  return new HostArray('float32', array.shape, data);
}
