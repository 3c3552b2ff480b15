/**
 * Shrinking: from a program that fails to the least that still does. Derivatives, state and outputs go first; then steps
 * are cut (their results become inputs, with the reference's numbers) or skipped (an earlier value of the type stands
 * for the result); then the inputs' numbers become 0, 1, 2, … Each change is kept when the program still fails.
 */
import { HostArray, sameShape, trace, type Tensor, type TensorType } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { specsOf } from '../cases/build.js';
import { inputsOf, typesOf, valuesOf, type Program, type ValueNumber } from './program.js';

/**
 * @param fails tells whether a program fails in the way in question
 * @param most programs to try at most
 */
export async function shrink(
  program: Program,
  fails: (candidate: Program) => Promise<boolean>,
  most: number,
): Promise<Program> {
  let best = program;
  let tried = 0;
  // Passes over the changes, each from where the last one that was kept left off, until one keeps nothing.
  for (let isKept = true; isKept;) {
    isKept = false;
    let place = 0;
    for (let isSmaller = true; isSmaller;) {
      isSmaller = false;
      for (const candidate of drop(smaller(best), place)) {
        if (++tried > most) return best;
        if (await fails(candidate)) {
          best = candidate;
          isSmaller = isKept = true;
          break;
        }
        place++;
      }
    }
  }
  return best;
}

function* drop<T>(items: Iterable<T>, count: number): Generator<T> {
  let i = 0;
  for (const item of items) if (i++ >= count) yield item;
}

/** Programs that are smaller by one change, the larger changes first. */
function* smaller(program: Program): Generator<Program> {
  const { outputs, mode, state, steps, inputs } = program;
  if (mode !== 'value') {
    yield { ...program, mode: 'value' };
    if (mode === 'gradient of the tangent') {
      yield { ...program, mode: 'tangent' };
      yield { ...program, mode: 'gradient' };
    }
  }
  if (state.length > 0) yield pruned({ ...program, state: [] });
  for (const pair of state)
    if (state.length > 1) yield { ...program, state: state.filter((other) => other !== pair) };
  // The first value that is wrong, as the only output.
  if (state.length === 0) {
    for (const [number, { dtype }] of typesOf(program).entries()) {
      const isLast = outputs.length === 1 && outputs[0] === number;
      if (number < inputs.length || isLast || (mode !== 'value' && dtype !== 'float32')) continue;
      yield pruned({ ...program, outputs: [number] });
    }
  }
  if (outputs.length > 1) {
    const isState = (place: number) => state.some(([, output]) => output === place);
    for (const [place, number] of outputs.entries()) {
      if (state.length === 0) yield pruned({ ...program, outputs: [number] });
      else if (!isState(place)) yield withoutOutput(program, place);
    }
    if (state.length === 0) for (const place of outputs.keys()) yield withoutOutput(program, place);
  }
  if (state.length === 0) for (const i of [...steps.keys()].reverse()) yield cut(program, i);
  for (const i of [...steps.keys()].reverse()) yield* skipped(program, i);
  for (const i of inputs.keys()) {
    const plain = withPlainNumbers(program, i);
    if (plain !== undefined) yield plain;
  }
}

function withoutOutput(program: Program, place: number): Program {
  const state = program.state.map(
    ([input, output]) => [input, output > place ? output - 1 : output] as const,
  );
  return pruned({ ...program, outputs: program.outputs.filter((_, i) => i !== place), state });
}

/** The number of a step's first result. */
const firstResult = ({ inputs, steps }: Program, i: number): ValueNumber =>
  inputs.length + steps.slice(0, i).reduce((total, { results }) => total + results.length, 0);

/** Inputs in place of a step, which hold what the reference computes there. */
function cut(program: Program, i: number): Program {
  const first = firstResult(program, i);
  const { results } = program.steps[i]!;
  const values = referenceValues(program);
  const fresh = results.map((_, k) => values[first + k]!);
  const count = program.inputs.length;
  // Values before the step move up by the new inputs, its results become those, and what comes after stays.
  const move = (number: ValueNumber): ValueNumber => {
    if (number < count) return number;
    if (number < first) return number + fresh.length;
    return number < first + fresh.length ? count + (number - first) : number;
  };
  return pruned({
    ...program,
    inputs: [...program.inputs, ...fresh],
    steps: program.steps
      .filter((_, k) => k !== i)
      .map((step) => ({ ...step, operands: step.operands.map(move) })),
    outputs: program.outputs.map(move),
  });
}

const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** A step's only result replaced by each earlier value of its type. */
function* skipped(program: Program, i: number): Generator<Program> {
  const { results } = program.steps[i]!;
  if (results.length !== 1) return;
  const number = firstResult(program, i);
  const types = typesOf(program);
  const earlier = [...types.keys()].filter(
    (other) => other < number && sameType(types[other]!, types[number]!),
  );
  for (const other of earlier.reverse().slice(0, 3)) {
    const move = (operand: ValueNumber): ValueNumber => (operand === number ? other : operand);
    yield pruned({
      ...program,
      steps: program.steps.map((step) => ({ ...step, operands: step.operands.map(move) })),
      outputs: program.outputs.map(move),
    });
  }
}

/** 0, 1, 2, … in an input. */
function withPlainNumbers(program: Program, i: number): Program | undefined {
  const { dtype, shape, data } = program.inputs[i]!;
  const plain = data.map((_, k) => (dtype === 'bool' ? k % 2 : k)) as typeof data;
  if (plain.every((x, k) => x === data[k])) return undefined;
  const inputs = program.inputs.map((array, k) =>
    k === i ? new HostArray(dtype, shape, plain as never) : array,
  );
  return { ...program, inputs };
}

/** Every value of a program, in float32. */
function referenceValues(program: Program): HostArray[] {
  const inputs = inputsOf({ ...program, mode: 'value' });
  const { graph } = trace(
    (given: Readonly<Record<string, Tensor>>) => valuesOf(program, given),
    specsOf(inputs),
  );
  const values = interpret(graph, inputs);
  return graph.outputs.map(({ name }) => {
    const value = values[name]!;
    const { dtype, shape, data } = value;
    return dtype === 'float64' ? new HostArray('float32', shape, Float32Array.from(data)) : value;
  });
}

/** The program without the steps and inputs that no output needs. */
function pruned(program: Program): Program {
  const { inputs, steps, outputs, state } = program;
  const needed = new Set<ValueNumber>([...outputs, ...state.map(([input]) => input)]);
  const starts = steps.map((_, i) => firstResult(program, i));
  const kept = new Set<number>();
  for (const i of [...steps.keys()].reverse()) {
    if (!steps[i]!.results.some((_, k) => needed.has(starts[i]! + k))) continue;
    kept.add(i);
    for (const operand of steps[i]!.operands) needed.add(operand);
  }
  const numbers = new Map<ValueNumber, ValueNumber>();
  const keep = (number: ValueNumber): void => void numbers.set(number, numbers.size);
  for (const i of inputs.keys()) if (needed.has(i)) keep(i);
  for (const [i, { results }] of steps.entries())
    if (kept.has(i)) for (const k of results.keys()) keep(starts[i]! + k);
  const move = (number: ValueNumber): ValueNumber => numbers.get(number)!;
  return {
    ...program,
    inputs: inputs.filter((_, i) => needed.has(i)),
    steps: steps
      .filter((_, i) => kept.has(i))
      .map((step) => ({ ...step, operands: step.operands.map(move) })),
    outputs: outputs.map(move),
    state: state.map(([input, output]) => [move(input), output] as const),
  };
}
