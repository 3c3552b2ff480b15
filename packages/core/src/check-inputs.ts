/** The checks that every backend makes: before a run, of its inputs; when compiling, of the state. */
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import type { CompileOptions } from './backend.js';
import type { Graph } from './graph.js';
import { didYouMean } from './nearest-name.js';
import { formatType, sameShape, type HostDType, type Shape } from './types.js';

/**
 * The inputs in the graph's order.
 *
 * @param inputs by name; a float64 array may stand for float32
 * @throws {ArgumentError} when one is missing or unknown
 * @throws {ShapeError | DTypeError} when one is not of the type that the graph declares
 */
export function checkInputs<T extends { readonly dtype: HostDType; readonly shape: Shape }>(
  graph: Graph,
  inputs: Readonly<Record<string, T>>,
): T[] {
  const names = new Set(graph.inputs.map(({ name }) => name));
  const unknown = Object.keys(inputs).find((name) => !names.has(name));
  if (unknown !== undefined) {
    const known = names.size === 0 ? 'no inputs' : [...names].join(', ');
    const hint = didYouMean(unknown, names);
    throw new ArgumentError(`Graph "${graph.name}" has no input "${unknown}"; it takes ${known}.${hint}`);
  }
  return graph.inputs.map(({ name, value }) => {
    const given = inputs[name];
    const expected = graph.types[value];
    if (given === undefined) throw new ArgumentError(`Input "${name}" of graph "${graph.name}" is missing.`);
    const dtype = given.dtype === 'float64' ? 'float32' : given.dtype;
    const message = `Input "${name}" must be ${formatType(expected)}, got ${formatType(given)}.`;
    if (dtype !== expected.dtype) throw new DTypeError(message);
    if (!sameShape(given.shape, expected.shape)) throw new ShapeError(message);
    return given;
  });
}

/**
 * Checks a state's pairs of names.
 *
 * @throws {ArgumentError} when a pair names what the graph has not
 * @throws {ShapeError | DTypeError} when it pairs an input and an output of different types
 */
export function checkState(graph: Graph, state: NonNullable<CompileOptions['state']>): void {
  for (const [from, to] of Object.entries(state)) {
    const input = graph.inputs.find(({ name }) => name === from);
    const output = graph.outputs.find(({ name }) => name === to);
    if (input === undefined) throw new ArgumentError(`state: graph "${graph.name}" has no input "${from}".`);
    if (output === undefined) throw new ArgumentError(`state: graph "${graph.name}" has no output "${to}".`);
    const [a, b] = [graph.types[input.value], graph.types[output.value]];
    const message = `state: input "${from}" is ${formatType(a)}, but output "${to}" is ${formatType(b)}.`;
    if (a.dtype !== b.dtype) throw new DTypeError(message);
    if (!sameShape(a.shape, b.shape)) throw new ShapeError(message);
  }
}
