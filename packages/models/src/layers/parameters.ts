/**
 * Parameters described before they exist: a tree of shapes with a way to fill each. From it come the initial
 * values, and the number of parameters without allocating any.
 */
import {
  drain,
  HostArray,
  sizeOf,
  treeFlatten,
  treeLeaves,
  type MapLeaves,
  type RandomKey,
  type Shape,
  type Steps,
  type Tree,
} from '@meanflow/core';

/** A float32 parameter that is yet to be made. */
export class ParameterSpec {
  constructor(
    readonly shape: Shape,
    /** Its initial values, from a key of its own. */
    readonly initial: (key: RandomKey, shape: Shape) => HostArray<'float32'>,
  ) {}
}

/** A float32 array of parameters. */
export type Parameter = HostArray<'float32'>;

/** `P` (a tree of parameters) with descriptions for leaves. */
export type Described<P> = MapLeaves<P, HostArray, ParameterSpec>;

/** Initial values of every parameter. Each depends on the key and on its own path only. */
export function initialParameters<T extends Tree<ParameterSpec>>(
  specs: T & Tree<ParameterSpec>,
  key: RandomKey,
): MapLeaves<T, ParameterSpec, Parameter> {
  return drain(drawing(specs, key));
}

/** Makes initial parameters from a key; at once, or one after another for who has other things to do meanwhile. */
export interface Initialiser<P> {
  (key: RandomKey): P;
  readonly inSteps: (key: RandomKey) => Steps<P>;
}

/** {@link initialParameters} of what is described. The steps are the function's own, so that who replaces one replaces both. */
export function initialiser<T extends Tree<ParameterSpec>>(
  specs: T & Tree<ParameterSpec>,
): Initialiser<MapLeaves<T, ParameterSpec, Parameter>> {
  return Object.assign((key: RandomKey) => initialParameters<T>(specs, key), {
    inSteps: (key: RandomKey) => drawing<T>(specs, key),
  });
}

function* drawing<T extends Tree<ParameterSpec>>(
  specs: T & Tree<ParameterSpec>,
  key: RandomKey,
): Steps<MapLeaves<T, ParameterSpec, Parameter>> {
  const { leaves, structure } = treeFlatten<ParameterSpec>(specs);
  const drawn: Parameter[] = [];
  for (const [i, { initial, shape }] of leaves.entries()) {
    drawn.push(initial(key.fold(structure.paths[i]!), shape));
    yield;
  }
  return structure.unflatten<Parameter, MapLeaves<T, ParameterSpec, Parameter>>(drawn);
}

/** The number of scalars in the parameters described. */
export function countParameters(specs: Tree<ParameterSpec>): number {
  return treeLeaves<ParameterSpec>(specs).reduce((total, { shape }) => total + sizeOf(shape), 0);
}

/** All zero. */
export function zeros(_key: RandomKey, shape: Shape): Parameter {
  return new HostArray('float32', shape, new Float32Array(sizeOf(shape)));
}

/** All one. */
export function ones(_key: RandomKey, shape: Shape): Parameter {
  return new HostArray('float32', shape, new Float32Array(sizeOf(shape)).fill(1));
}

/** Uniform on [−limit, limit). */
export function uniformWithin(limit: number) {
  return (key: RandomKey, shape: Shape): Parameter => key.uniform(shape, -limit, limit);
}

/** Normal with mean 0. */
export function normalWith(standardDeviation: number) {
  return (key: RandomKey, shape: Shape): Parameter => {
    const { data } = key.normal(shape);
    return new HostArray(
      'float32',
      shape,
      data.map((value) => value * standardDeviation),
    );
  };
}
