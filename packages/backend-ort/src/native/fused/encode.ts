/**
 * A fused body as the list of integers that the library of fused kernels reads (`native/body.h` has the format). Values get
 * places here: inputs and outputs lie in memory, single numbers are kept during the whole call, and all others share a few
 * registers, as few as there are values that are needed at one time.
 */
import { sizeOf, type DType } from '@meanflow/core';
import type { Program } from '@meanflow/core/backend';
import { iterationSpace, type IterationSpace } from './iteration-space.js';
import { numberOf } from './operations.js';
import { ROW, SINGLE, stepsOf, type Kind, type Step, type Steps, type Value } from './steps.js';

/** Limits of the format. */
const VERSION = 1;
const LONGEST_ROW = 2 ** 16;
const MOST_SLOTS = 256;
const HIGHEST_RANK = 8;

const dtypes: Readonly<Record<DType, number>> = { float32: 1, float16: 0, int32: 2, bool: 3 };

/**
 * @param body the body of a `fused` call: elementwise instructions and reductions over the trailing axes, see core
 * @returns undefined where the library cannot compute it
 */
export function encodeBody(body: Program): readonly bigint[] | undefined {
  if (body.types.some(({ shape }) => sizeOf(shape) === 0 || shape.length > HIGHEST_RANK)) return undefined;
  const space = iterationSpace(body);
  if (space === undefined) return undefined;
  const program = stepsOf(body, space);
  if (program === undefined) return undefined;
  const { sizes, reduced } = space;
  const rows = sizeOf(sizes.slice(0, sizes.length - reduced));
  const row = sizeOf(sizes.slice(sizes.length - reduced));
  if (row > LONGEST_ROW) return undefined;

  const places = placesOf(program);
  if (places.slots > MOST_SLOTS) return undefined;
  const once = places.steps.filter(({ result }) => result.kind === SINGLE);
  const perChunk = places.steps.filter(({ result }) => result.kind !== SINGLE);
  const words = [
    ...[VERSION, rows, row, places.constants.length, places.singles, places.registers],
    body.inputs.length,
    ...body.inputs.flatMap(({ value }, i) => {
      const { kind, dtype } = program.inputs[i]!;
      return [dtypes[dtype], kind, ...axesInMemory(space, space.axesOf(value), kind)];
    }),
    body.outputs.length,
    ...body.outputs.flatMap(({ value }, i) => {
      const { shape, dtype } = body.types[value]!;
      return [dtypes[dtype], program.outputs[i]!.kind, shape.length, ...shape];
    }),
    ...places.constants,
    places.steps.length,
    ...[...once, ...perChunk].flatMap(({ operation, operands, result }) => {
      const slots = [0, 1, 2].map((i) => (operands[i] ? places.slotOf(operands[i]) : 0));
      return [numberOf(operation), result.kind, places.slotOf(result), ...slots];
    }),
  ];
  return words.map(BigInt);
}

/** An input's axes: how many, then of each its size, and whether the input has it; neighbours of one kind are one axis. */
function axesInMemory({ sizes, reduced }: IterationSpace, axes: readonly number[], kind: Kind): number[] {
  if (kind === SINGLE) return [0];
  const merged: { size: number; isThere: boolean }[] = [];
  for (const [axis, size] of sizes.slice(0, kind === ROW ? sizes.length - reduced : sizes.length).entries()) {
    const isThere = axes.includes(axis);
    const last = merged.at(-1);
    if (last?.isThere === isThere) last.size *= size;
    else merged.push({ size, isThere });
  }
  return [merged.length, ...merged.flatMap(({ size, isThere }) => [size, Number(isThere)])];
}

interface Places {
  readonly steps: readonly Step[];
  /** Bits of the constants, each once. */
  readonly constants: readonly number[];
  readonly singles: number;
  readonly registers: number;
  /** All of them. */
  readonly slots: number;
  readonly slotOf: (value: Value) => number;
}

function placesOf({ steps, inputs, outputs }: Steps): Places {
  const firstSingle = inputs.length + outputs.length;
  const constants: number[] = [];
  const places = new Map<Value, number>();
  outputs.forEach((output, i) => places.set(output, inputs.length + i));
  const operands = steps.flatMap((step) => step.operands);
  for (const value of operands) {
    const { source, dtype } = value;
    if (source.from === 'input') places.set(value, source.index);
    if (source.from !== 'constant') continue;
    const bits = bitsOf(source.number, dtype);
    const known = constants.indexOf(bits);
    places.set(value, firstSingle + (known < 0 ? constants.push(bits) - 1 : known));
  }
  let singles = constants.length;
  for (const { result } of steps) {
    if (result.kind === SINGLE) places.set(result, firstSingle + singles++);
  }

  const firstRegister = firstSingle + singles;
  const lastRead = new Map<Value, number>();
  steps.forEach((step, i) => step.operands.forEach((operand) => lastRead.set(operand, i)));
  const free: number[] = [];
  let registers = 0;
  const held = new Map<Value, number>();
  steps.forEach(({ operands: read, result }, i) => {
    if (!places.has(result)) {
      // Found before those of the operands are free again: no step writes where it reads.
      const register = free.pop() ?? registers++;
      held.set(result, register);
      places.set(result, firstRegister + register);
    }
    for (const value of new Set([...read, result])) {
      const register = held.get(value);
      if (register !== undefined && (lastRead.get(value) ?? i) === i) free.push(register);
    }
  });
  return {
    steps,
    constants,
    singles,
    registers,
    slots: firstRegister + registers,
    slotOf: (value) => places.get(value)!,
  };
}

/** A number as a register holds it. */
function bitsOf(number: number, dtype: DType): number {
  if (dtype === 'bool') return Number(number !== 0);
  return dtype === 'int32' ? number | 0 : new Int32Array(Float32Array.of(number).buffer)[0]!;
}
