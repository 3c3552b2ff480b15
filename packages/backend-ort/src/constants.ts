/**
 * Constants of a graph in its ONNX model: initializers, which ONNX Runtime lays out for its matrix products once. They lie in the
 * model, or where they are and the session is given them.
 */
import type { Graph, TensorType } from '@meanflow/core';
import type { NamedArrays, Program } from '@meanflow/core/backend';
import { toElements, type Elements } from './elements.js';
import { inputName, outputName, type Interface } from './lower-graph.js';

/** An array as ONNX Runtime holds it. */
export interface Constant {
  readonly elements: Elements;
  readonly type: TensorType;
}

/** By the names of inputs. */
export type Constants = Readonly<Record<string, Constant>>;

/** Arrays as elements of the types that a graph's inputs have. */
export function constantsOf({ inputs, types }: Graph, arrays: NamedArrays): Constants {
  const constants = inputs.flatMap(({ name, value }) => {
    if (!Object.hasOwn(arrays, name)) return [];
    const type = types[value]!;
    return [[name, { elements: toElements(arrays[name]!, type.dtype), type }] as const];
  });
  return Object.fromEntries(constants);
}

/** No file has this name: what names it is replaced by what the session is given. */
const GIVEN = 'given-to-the-session';

/** @param place whether the model holds their elements, or only their names and types */
export function withConstants(constants: Constants, place: 'in-model' | 'given'): Interface {
  const isConstant = (path: string): boolean => Object.hasOwn(constants, path);
  return {
    input: (builder, path, type) => {
      const name = inputName(path);
      if (!isConstant(path)) return builder.input(name, type);
      const { elements } = constants[path]!;
      const given = { location: GIVEN, offset: 0, byteLength: elements.byteLength };
      return builder.initializer(type.dtype, type.shape, place === 'given' ? given : elements, name);
    },
    outputName,
    isConstant,
  };
}

/** The outside of a graph as runs see it. */
export const withoutConstants = (graph: Program, constants: Constants): Program => ({
  ...graph,
  inputs: graph.inputs.filter(({ name }) => !Object.hasOwn(constants, name)),
});
