/**
 * The checks that every backend makes: before a run, of its inputs, which are taken as they are at the call; when
 * compiling, of the state and of the constants, which are taken likewise.
 */
import { checkOptions } from './check-options.js';
import { describeValue } from './describe-value.js';
import { ArgumentError, DTypeError, ShapeError } from './errors.js';
import type { CompileOptions, DeviceArray, RunInput, RunOptions } from './backend.js';
import { HostArray, isFixedMemory, toHostArray } from './host-array.js';
import { didYouMean } from './nearest-name.js';
import { quoted } from './printable.js';
import type { Program } from './tensor.js';
import { formatShape, formatType, hostDTypeOf, isFloat, sameShape, type TensorType } from './types.js';

/**
 * The inputs in the graph's order.
 *
 * @param inputs by name; a float64 array may stand for float32, and what a structured clone left of a HostArray for that
 * @throws {ArgumentError} when one is missing, unknown, or neither an array of the host nor one of a device
 * @throws {ShapeError | DTypeError} when one is not of the type that the graph declares
 */
export function checkInputs<T extends RunInput>(graph: Program, inputs: Readonly<Record<string, T>>): T[] {
  if (typeof inputs !== 'object' || inputs === null) {
    throw new ArgumentError(
      `Graph "${graph.name}" takes an object of arrays by name, got ${describeValue(inputs)}.`,
    );
  }
  const names = new Set(graph.inputs.map(({ name }) => name));
  const unknown = Object.keys(inputs).find((name) => !names.has(name));
  if (unknown !== undefined) {
    const known = names.size === 0 ? 'no inputs' : [...names].join(', ');
    const hint = didYouMean(unknown, names);
    throw new ArgumentError(
      `Graph "${graph.name}" has no input ${quoted(unknown)}; it takes ${known}.${hint}`,
    );
  }
  return graph.inputs.map(({ name, value }) => {
    const given = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    const expected = graph.types[value]!;
    if (given === undefined) throw new ArgumentError(`Input "${name}" of graph "${graph.name}" is missing.`);
    const array = arrayOf(name, given, expected) as T;
    const message = `Input "${name}" must be ${formatType(expected)}, got ${formatType(array)}.`;
    if (!stands(array, expected)) throw new DTypeError(message);
    if (!sameShape(array.shape, expected.shape)) throw new ShapeError(message);
    return array;
  });
}

/** Whether an array may stand for a graph's input: on the host, float32 for float16, and float64 for either. */
function stands(array: RunInput, { dtype }: TensorType): boolean {
  if (array.dtype === dtype) return true;
  if (array.dtype === 'float64') return isFloat(dtype);
  return array instanceof HostArray && array.dtype === hostDTypeOf(dtype);
}

/** @throws {ArgumentError} naming what was given instead of an array, and how to make one of it */
function arrayOf(name: string, given: unknown, expected: TensorType): RunInput {
  let array: HostArray | undefined;
  try {
    array = toHostArray(given);
  } catch (error) {
    throw new ArgumentError(`Input "${name}": ${(error as Error).message}`, { cause: error });
  }
  if (array !== undefined) return array;
  if (isDeviceArray(given)) return given;
  const { dtype, shape } = expected;
  throw new ArgumentError(
    `Input "${name}" is ${describeValue(given)}, neither a HostArray nor a device array; wrap numbers, as in ` +
      `new HostArray('${hostDTypeOf(dtype)}', ${formatShape(shape)}, data) or hostArray(numbers).`,
  );
}

/** Whether a value is an array of a device, of whichever backend. */
export function isDeviceArray(value: unknown): value is DeviceArray {
  const { read, dispose, shape } = (value ?? {}) as Partial<DeviceArray>;
  return typeof read === 'function' && typeof dispose === 'function' && Array.isArray(shape);
}

/**
 * The inputs of a run as they are now, by name: what the caller does with its arrays from here on does not reach the
 * run. Host arrays have memory that is neither shared nor resizable; they are copied unless they were lent (`borrow`). One
 * of float64 is left to the backend to convert. Device arrays are as they were given.
 *
 * @throws as `checkInputs`, and {ArgumentError} for an option that does not exist
 */
export function takeInputs(
  graph: Program,
  inputs: Readonly<Record<string, RunInput>>,
  options: RunOptions = {},
): Record<string, RunInput> {
  checkOptions<RunOptions>('run', options, { signal: true, borrow: true });
  const { borrow = false } = options;
  const given = checkInputs(graph, inputs);
  return Object.fromEntries(
    graph.inputs.map(({ name }, i) => {
      const array = given[i]!;
      return [name, array instanceof HostArray ? taken(array, borrow) : array];
    }),
  );
}

function taken(array: HostArray, borrow: boolean): HostArray {
  // A byte that is neither 0 nor 1 is true, but a device may compute with it.
  if (array.dtype === 'bool' && array.data.some((x: number) => x > 1)) {
    return new HostArray(
      'bool',
      array.shape,
      Uint8Array.from(array.data, (x) => Number(x !== 0)),
    );
  }
  return borrow && isFixedMemory(array) ? array : array.clone();
}

/** The options of a backend's `compile`, checked, with the constants in memory of their own or lent. */
export interface TakenCompileOptions {
  readonly state: NonNullable<CompileOptions['state']>;
  readonly constants: NonNullable<CompileOptions['constants']>;
}

/**
 * Checks the options of a backend's `compile`, and takes the constants as they are at the call.
 *
 * @throws {ArgumentError} when there is an option that does not exist, a pair names what the graph has not, or a constant is no
 *   input, is state, or is no array of the host
 * @throws {ShapeError | DTypeError} when a pair is of an input and an output of different types, or a constant not of its input's
 */
export function takeCompileOptions(graph: Program, options: CompileOptions = {}): TakenCompileOptions {
  checkOptions<CompileOptions>('compile', options, {
    state: true,
    constants: true,
    borrow: true,
    onProgress: true,
  });
  const { state = {}, borrow = false } = options;
  checkState(graph, state);
  const { constants: asked = {} } = options;
  const unknown = Object.keys(asked).find((name) => !graph.inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    const names = graph.inputs.map(({ name }) => name);
    throw new ArgumentError(
      `constants: graph "${graph.name}" has no input ${quoted(unknown)}; it takes ${names.join(', ')}.${didYouMean(unknown, names)}`,
    );
  }
  const inputs = graph.inputs.filter(({ name }) => Object.hasOwn(asked, name));
  const given = checkInputs({ ...graph, inputs }, asked);
  const constants = inputs.map(({ name }, i) => {
    const array = given[i]!;
    if (Object.hasOwn(state, name)) {
      throw new ArgumentError(
        `constants: input "${name}" of graph "${graph.name}" is state, which every run replaces.`,
      );
    }
    if (!(array instanceof HostArray)) {
      throw new ArgumentError(
        `constants: "${name}" is an array of a device; read() it and pass the host array.`,
      );
    }
    return [name, taken(array, borrow)] as const;
  });
  return { state, constants: Object.fromEntries(constants) };
}

function checkState(graph: Program, state: NonNullable<CompileOptions['state']>): void {
  for (const [from, to] of Object.entries(state)) {
    const input = graph.inputs.find(({ name }) => name === from);
    const output = graph.outputs.find(({ name }) => name === to);
    if (input === undefined) throw new ArgumentError(`state: graph "${graph.name}" has no input "${from}".`);
    if (output === undefined) throw new ArgumentError(`state: graph "${graph.name}" has no output "${to}".`);
    const [a, b] = [graph.types[input.value]!, graph.types[output.value]!];
    const message = `state: input "${from}" is ${formatType(a)}, but output "${to}" is ${formatType(b)}.`;
    if (a.dtype !== b.dtype) throw new DTypeError(message);
    if (!sameShape(a.shape, b.shape)) throw new ShapeError(message);
  }
}
