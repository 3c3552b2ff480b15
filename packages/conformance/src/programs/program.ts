/**
 * A random program as data: inputs with their numbers, steps of one function each, outputs, and how it is run: as it
 * is, for a derivative of it, or several times with outputs that replace inputs. It can be traced, printed, and cut down
 * to what a fault needs.
 */
import {
  grad,
  jvp,
  mul,
  sum,
  treeLeaves,
  type HostArray,
  type Tensor,
  type TensorType,
} from '@meanflow/core';
import { formatType } from '@meanflow/core/validation';
import type { NamedArrays } from '../numerics/tolerance.js';
import { floats } from '../cases/inputs.js';

/** A value of a program, by its number: the inputs come first, then the results of the steps. */
export type ValueNumber = number;

/** One call of a function of core. */
export interface Step {
  /** The function, such as `transpose`. */
  readonly op: string;
  readonly operands: readonly ValueNumber[];
  readonly results: readonly TensorType[];
  apply(operands: readonly Tensor[]): readonly Tensor[];
  /** The call as code, given the operands' names. */
  write(operands: readonly string[]): string;
}

/** What is computed of a program. */
export type Mode = 'value' | 'tangent' | 'gradient' | 'gradient of the tangent';

export interface Program {
  readonly inputs: readonly HostArray[];
  readonly steps: readonly Step[];
  /** Any values, inputs among them, in any order and more than once. */
  readonly outputs: readonly ValueNumber[];
  readonly mode: Mode;
  /** Pairs of an input and the place of an output of its type, which replaces it in the next run. */
  readonly state: readonly (readonly [input: ValueNumber, output: number])[];
}

/** Runs of a program with state, each on what the one before has left. */
const RUNS = 3;
export const runsOf = ({ state }: Program): number => (state.length > 0 ? RUNS : 1);

/** Types of all values, by number. */
export function typesOf({ inputs, steps }: Program): TensorType[] {
  const given = inputs.map(({ dtype, shape }) => ({ dtype, shape }) as TensorType);
  return [...given, ...steps.flatMap(({ results }) => results)];
}

const isFloat = ({ dtype }: { readonly dtype: string }): boolean => dtype === 'float32';

/** All values of a program, from tensors in place of its inputs. */
function evaluate({ steps }: Program, inputs: readonly Tensor[]): Tensor[] {
  const values = [...inputs];
  for (const { operands, apply } of steps) values.push(...apply(operands.map((number) => values[number]!)));
  return values;
}

/** All values of a program, by number, from tensors for {@link inputsOf}. */
export const valuesOf = (program: Program, given: Readonly<Record<string, Tensor>>): Tensor[] =>
  evaluate(
    program,
    program.inputs.map((_, i) => given[`x${i}`]!),
  );

/**
 * The arrays that a run takes: `x0`, `x1`, … the inputs, and for derivatives `dx0`, … the directions of the float ones
 * and `c0`, … the weights of the float outputs.
 */
export function inputsOf(program: Program): Record<string, HostArray> {
  const { inputs, outputs, mode } = program;
  const named = inputs.map((array, i): [string, HostArray] => [`x${i}`, array]);
  const types = typesOf(program);
  const along = inputs.flatMap((array, i): [string, HostArray][] =>
    mode !== 'value' && mode !== 'gradient' && isFloat(array)
      ? [[`dx${i}`, floats(array.shape, -1, 1, `direction ${i}`)]]
      : [],
  );
  const weights = outputs.flatMap((number, j): [string, HostArray][] =>
    mode.startsWith('gradient') && isFloat(types[number]!)
      ? [[`c${j}`, floats(types[number]!.shape, -1, 1, `weight ${j}`)]]
      : [],
  );
  return Object.fromEntries([...named, ...along, ...weights]);
}

/**
 * The outputs of one run, by name: `y0`, `y1`, …; `dy0`, … their tangents; `gx0`, … the gradient in the float inputs.
 *
 * @param given tensors for {@link inputsOf}
 */
export function emit(program: Program, given: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const { inputs, outputs, mode } = program;
  const all = inputs.map((_, i) => given[`x${i}`]!);
  const moving = inputs.flatMap((array, i) => (isFloat(array) ? [i] : []));
  const types = typesOf(program);
  const floatOutputs = outputs.flatMap((number, j) => (isFloat(types[number]!) ? [j] : []));
  const of = (floatInputs: readonly Tensor[]): Tensor[] => {
    const values = evaluate(
      program,
      all.map((x, i) => (moving.includes(i) ? floatInputs[moving.indexOf(i)]! : x)),
    );
    return outputs.map((number) => values[number]!);
  };
  const floatsOf = (x: readonly Tensor[]): Tensor[] => {
    const results = of(x);
    return floatOutputs.map((j) => results[j]!);
  };
  const primals = moving.map((i) => all[i]!);
  const named = (prefix: string, numbers: readonly number[], tensors: readonly Tensor[]) =>
    Object.fromEntries(numbers.map((number, i) => [`${prefix}${number}`, tensors[i]!]));
  if (mode === 'value') return named('y', [...outputs.keys()], of(primals));
  const tangents = (x: readonly Tensor[]): readonly [Tensor[], Tensor[]] => {
    const directions = moving.map((i) => given[`dx${i}`]!);
    const [values, moved] = jvp((y: Tensor[]): Tensor[] => floatsOf(y), [[...x]], [directions]);
    return [values, treeLeaves<Tensor>(moved)];
  };
  if (mode === 'tangent') {
    const [values, moved] = tangents(primals);
    return { ...named('y', floatOutputs, values), ...named('dy', floatOutputs, moved) };
  }
  const weighted = (results: readonly Tensor[]): Tensor =>
    floatOutputs
      .map((j, i) => sum(mul(results[i]!, given[`c${j}`]!)))
      .reduce((total, term) => total.add(term));
  const scalar = (x: Tensor[]): Tensor => weighted(mode === 'gradient' ? floatsOf(x) : tangents(x)[1]);
  return named('gx', moving, grad(scalar)(primals));
}

/**
 * Every output of all runs of a program, as one function: `y0`, … of the first, `1/y0`, … of the second.
 *
 * @param given tensors for {@link inputsOf}
 */
export function emitRuns(program: Program, given: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  let current = given;
  for (let run = 0; run < runsOf(program); run++) {
    const outputs = emit(program, current);
    for (const [name, value] of Object.entries(outputs)) found[outputName(name, run)] = value;
    const next = program.state.map(([input, output]) => [`x${input}`, outputs[`y${output}`]]);
    current = { ...current, ...(Object.fromEntries(next) as Record<string, Tensor>) };
  }
  return found;
}

/** How {@link emitRuns} calls an output of a run, which counts from 0. */
export const outputName = (name: string, run: number): string => (run === 0 ? name : `${run}/${name}`);

/** Numbers that are printed; of larger arrays the first of them. */
const SHOWN = 64;

/** The program as code, with the numbers of its inputs. */
export function programText(program: Program, inputs: NamedArrays = inputsOf(program)): string {
  const { steps, outputs, mode, state } = program;
  const lines = Object.entries(inputs).map(([name, array]) => `const ${name} = ${arrayText(array)};`);
  const names = program.inputs.map((_, i) => `x${i}`);
  for (const { operands, results, write } of steps) {
    const made = results.map((_, i) => `v${names.length + i}`);
    const call = write(operands.map((number) => names[number]!));
    const left = made.length === 1 ? made[0] : `[${made.join(', ')}]`;
    lines.push(`const ${left} = ${call}; // ${results.map(formatType).join(', ')}`);
    names.push(...made);
  }
  lines.push(`return { ${outputs.map((number, j) => `y${j}: ${names[number]}`).join(', ')} };`);
  if (mode !== 'value') lines.push(`// the ${mode}: dx are directions of x, c are weights of y`);
  for (const [input, output] of state) lines.push(`// in ${RUNS} runs, y${output} replaces x${input}`);
  return lines.join('\n');
}

function arrayText(array: HostArray): string {
  const numbers = Array.from(array.data.slice(0, SHOWN), (x) => String(Object.is(x, -0) ? '-0' : x));
  const rest = array.size > SHOWN ? `, … ${array.size - SHOWN} more` : '';
  return `${array.dtype}([${array.shape.join(', ')}], [${numbers.join(', ')}${rest}])`;
}
