/**
 * A fused body as steps of the library's interpreter: which operation on which values, before places are given to them.
 * A value is one number, one of each row or one of each element. Values that are spread out for an operation are steps of
 * their own; a product that only a sum or a difference reads is done with it, in one step that rounds once.
 */
import type { DType } from '@meanflow/core';
import type { Instruction, Program } from '@meanflow/core/backend';
import type { IterationSpace } from './iteration-space.js';
import { operationOf, type Operation } from './operations.js';

/** How much of the iteration space a value fills; as numbers in the encoding. */
export const SINGLE = 0;
export const ROW = 1;
export const FULL = 2;
export type Kind = typeof SINGLE | typeof ROW | typeof FULL;

/** What a step reads or writes; known by identity. */
export interface Value {
  readonly kind: Kind;
  readonly dtype: DType;
  readonly source:
    | { readonly from: 'input'; readonly index: number }
    | { readonly from: 'constant'; readonly number: number }
    | { readonly from: 'step' };
}

export interface Step {
  readonly operation: Operation;
  readonly operands: readonly Value[];
  readonly result: Value;
}

export interface Steps {
  readonly steps: readonly Step[];
  /** What the body's inputs are; in order. */
  readonly inputs: readonly Value[];
  /** Results of steps, each another; in order. */
  readonly outputs: readonly Value[];
}

/** @returns undefined when the body has an instruction that the library does not know */
export function stepsOf(body: Program, space: IterationSpace): Steps | undefined {
  const { types } = body;
  if (types.some(({ dtype }) => dtype === 'float16')) return undefined;
  const firstReduced = space.sizes.length - space.reduced;
  const kindOf = (axes: readonly number[]): Kind => {
    if (axes.length === 0) return SINGLE;
    return space.reduced > 0 && axes.at(-1)! < firstReduced ? ROW : FULL;
  };
  const steps: Step[] = [];
  const add = (operation: Operation, operands: readonly Value[], kind: Kind, dtype: DType): Value => {
    const result: Value = { kind, dtype, source: { from: 'step' } };
    steps.push({ operation, operands, result });
    return result;
  };
  const spreads = new Map<Value, Value>();
  /** A value as one of each element or row. */
  const spread = (value: Value, kind: Kind): Value => {
    if (value.kind === kind) return value;
    let wide = kind === FULL ? spreads.get(value) : undefined;
    wide ??= add(value.kind === SINGLE ? 'copy' : 'expand', [value], kind, value.dtype);
    if (kind === FULL) spreads.set(value, wide);
    return wide;
  };

  const values = new Array<Value | undefined>(types.length);
  const inputs = body.inputs.map(({ value }, index): Value => {
    const { dtype } = types[value]!;
    return (values[value] = { kind: kindOf(space.axesOf(value)), dtype, source: { from: 'input', index } });
  });

  const compute = (instruction: Instruction): Value | undefined => {
    const { op, attributes, outputs } = instruction;
    const operands = instruction.inputs.map((input) => values[input]!);
    const { dtype } = types[outputs[0]!]!;
    if (op === 'constant') {
      if (attributes.value.size !== 1) return undefined;
      return { kind: SINGLE, dtype, source: { from: 'constant', number: attributes.value.data[0]! } };
    }
    const [first] = operands;
    if (first === undefined) return undefined;
    if (space.isAlias(instruction)) return first;
    const operation = operationOf(instruction, first.dtype);
    if (operation === undefined) return undefined;
    if (op === 'reduceSum' || op === 'reduceMax') return add(operation, [spread(first, FULL)], ROW, dtype);
    // A cast that changes nothing but the name of the type: in registers a bool is an int.
    if (operation === 'copy') return first;
    const kind = operands.reduce<Kind>(
      (most, operand) => (operand.kind > most ? operand.kind : most),
      SINGLE,
    );
    const wide = operands.map((operand) => (operand.kind === SINGLE ? operand : spread(operand, kind)));
    return add(operation, wide, kind, dtype);
  };
  for (const instruction of body.instructions) {
    const value = compute(instruction);
    if (value === undefined) return undefined;
    values[instruction.outputs[0]!] = value;
  }

  const taken = new Set<Value>();
  const outputs: Value[] = [];
  for (const { value } of body.outputs) {
    const axes = space.axesOf(value);
    const kind = axes.length === space.sizes.length ? FULL : ROW;
    if (kind === ROW && (space.reduced === 0 || axes.length !== firstReduced)) return undefined;
    const found = values[value]!;
    const made = spread(found, kind);
    const isFree = made.source.from === 'step' && !taken.has(made);
    const output = isFree ? made : add('copy', [made], kind, made.dtype);
    taken.add(output);
    outputs.push(output);
  }
  return { steps: joinProducts(steps, taken), inputs, outputs };
}

/** Products that one sum or difference reads, and nobody else, are computed with it. */
function joinProducts(steps: readonly Step[], kept: ReadonlySet<Value>): readonly Step[] {
  const reads = new Map<Value, number>();
  for (const operand of steps.flatMap(({ operands }) => operands)) {
    reads.set(operand, (reads.get(operand) ?? 0) + 1);
  }
  const products = new Map(
    steps.filter(({ operation }) => operation === 'mul').map((step) => [step.result, step]),
  );
  const joined = new Set<Step>();
  const productOf = (value: Value, { kind }: Value): Step | undefined => {
    const product = products.get(value);
    return product && value.kind === kind && reads.get(value) === 1 && !kept.has(value) ? product : undefined;
  };
  const join = (step: Step): Step => {
    const { operation, operands, result } = step;
    if (operation !== 'add' && operation !== 'sub') return step;
    const [a, b] = operands as readonly [Value, Value];
    const [left, right] = [productOf(a, result), productOf(b, result)];
    const product = left ?? right;
    if (product === undefined) return step;
    joined.add(product);
    const other = product === left ? b : a;
    const combined = operation === 'add' ? 'mulAdd' : product === left ? 'mulSub' : 'negMulAdd';
    return { operation: combined, operands: [...product.operands, other], result };
  };
  const all = steps.map(join);
  return all.filter((step) => !joined.has(step));
}
