/**
 * A fused body as the list of integers that the library of fused kernels reads (`native/body.h` has the format). Values get
 * places here: inputs and outputs lie in memory, single numbers are kept during the whole call, and all others share a few
 * registers, as few as there are values that are needed at one time.
 */
import { sizeOf, type DType } from '@meanflow/core';
import { mergeAxes, stridesOf, type Program, type View } from '@meanflow/core/backend';
import { iterationSpace, type IterationSpace } from './iteration-space.js';
import { numberOf } from './operations.js';
import { ROW, SINGLE, stepsOf, type Kind, type Step, type Steps, type Value } from './steps.js';

/** Limits of the format. */
const VERSION = 2;
const LONGEST_ROW = 2 ** 16;
const MOST_SLOTS = 256;
const HIGHEST_RANK = 8;

const dtypes: Readonly<Record<DType, number>> = { float32: 1, float16: 0, int32: 2, bool: 3 };

/** Where an input's elements lie, in elements. */
export type InputPlace = Pick<View, 'offset' | 'strides'>;

/**
 * @param body the body of a `fused` call: elementwise instructions and reductions over the trailing axes, see core
 * @param places where the elements of each input lie in what the node is given; as the input's type says, by default
 * @returns undefined where the library cannot compute it
 */
export function encodeBody(
  body: Program,
  places: readonly (InputPlace | undefined)[] = [],
): readonly bigint[] | undefined {
  if (body.types.some(({ shape }) => sizeOf(shape) === 0 || shape.length > HIGHEST_RANK)) return undefined;
  const space = iterationSpace(body);
  if (space === undefined) return undefined;
  const program = stepsOf(body, space);
  if (program === undefined) return undefined;
  const { sizes, reduced } = space;
  const rows = sizeOf(sizes.slice(0, sizes.length - reduced));
  const row = sizeOf(sizes.slice(sizes.length - reduced));
  if (row > LONGEST_ROW) return undefined;

  const slots = slotsOf(program);
  if (slots.count > MOST_SLOTS) return undefined;
  const once = slots.steps.filter(({ result }) => result.kind === SINGLE);
  const perChunk = slots.steps.filter(({ result }) => result.kind !== SINGLE);
  const words = [
    ...[VERSION, rows, row, slots.constants.length, slots.singles, slots.registers],
    body.inputs.length,
    ...body.inputs.flatMap(({ value }, i) => {
      const { kind, dtype } = program.inputs[i]!;
      const { shape } = body.types[value]!;
      const { offset, strides } = places[i] ?? { offset: 0, strides: stridesOf(shape) };
      const proper = strides.filter((_, axis) => shape[axis] !== 1);
      return [dtypes[dtype], kind, offset, ...axesInMemory(space, space.axesOf(value), proper, kind)];
    }),
    body.outputs.length,
    ...body.outputs.flatMap(({ value }, i) => {
      const { shape, dtype } = body.types[value]!;
      return [dtypes[dtype], program.outputs[i]!.kind, shape.length, ...shape];
    }),
    ...slots.constants,
    slots.steps.length,
    ...[...once, ...perChunk].flatMap(({ operation, operands, result }) => {
      const read = [0, 1, 2].map((i) => (operands[i] ? slots.slotOf(operands[i]) : 0));
      return [numberOf(operation), result.kind, slots.slotOf(result), ...read];
    }),
  ];
  return words.map(BigInt);
}

/** An input's axes: how many, then of each its size and stride; neighbours that are evenly apart are one axis. */
function axesInMemory(
  { sizes, reduced }: IterationSpace,
  axes: readonly number[],
  strides: readonly number[],
  kind: Kind,
): number[] {
  if (kind === SINGLE) return [0];
  const walked = sizes.slice(0, kind === ROW ? sizes.length - reduced : sizes.length).map((size, axis) => {
    const place = axes.indexOf(axis);
    return { size, strides: [place < 0 ? 0 : strides[place]!] };
  });
  const merged = mergeAxes(walked);
  return [merged.length, ...merged.flatMap(({ size, strides: [stride] }) => [size, stride!])];
}

interface Slots {
  readonly steps: readonly Step[];
  /** Bits of the constants, each once. */
  readonly constants: readonly number[];
  readonly singles: number;
  readonly registers: number;
  /** All of them. */
  readonly count: number;
  readonly slotOf: (value: Value) => number;
}

function slotsOf({ steps, inputs, outputs }: Steps): Slots {
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
    count: firstRegister + registers,
    slotOf: (value) => places.get(value)!,
  };
}

/** A number as a register holds it. */
function bitsOf(number: number, dtype: DType): number {
  if (dtype === 'bool') return Number(number !== 0);
  return dtype === 'int32' ? number | 0 : new Int32Array(Float32Array.of(number).buffer)[0]!;
}
