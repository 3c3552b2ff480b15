/** The element of a node's result, from the elements of its operands that it is made of. */
import type { DType } from '@meanflow/core';
import type { ProgramNode, StoredValue } from '../program/program.js';
import { elementwise, type ElementwiseName, type WgslOp } from './functions.js';
import { Index } from './index-expression.js';
import { literal, roundedToHalf, wgslTypes } from './literal.js';
import { NotFusable, Scope, type ElementWriter } from './scope.js';

/** Coordinates in a result, as those of an operand that is repeated to it. */
const aligned = (at: readonly Index[], shape: readonly number[]) =>
  shape.map((n, axis) => (n === 1 ? Index.number(0) : at[at.length - shape.length + axis]!));

type Casts = Readonly<Record<DType, (x: string) => string>>;

const ofFloat: Casts = {
  float32: (x) => x,
  float16: roundedToHalf,
  int32: (x) => `truncated(${x})`,
  bool: (x) => `isNonZero(${x})`,
};

const casts: Readonly<Record<DType, Casts>> = {
  float32: ofFloat,
  float16: ofFloat,
  int32: {
    float32: (x) => `f32(${x})`,
    float16: (x) => roundedToHalf(`f32(${x})`),
    int32: (x) => x,
    bool: (x) => `(${x} != 0)`,
  },
  bool: {
    float32: (x) => `select(0.0, 1.0, ${x})`,
    float16: (x) => `select(0.0, 1.0, ${x})`,
    int32: (x) => `select(0, 1, ${x})`,
    bool: (x) => x,
  },
};

/** Elementwise ops that give one of their operands, but for its sign: it is a float16 as it was. */
const EXACT: ReadonlySet<string> = new Set(['neg', 'abs', 'sign', 'maximum', 'minimum', 'select']);

/** The op of a node, at coordinates of its result. */
export function expressionOf(
  writer: ElementWriter,
  scope: Scope,
  node: ProgramNode,
  at: readonly Index[],
): string {
  const operand = (i: number, coordinates: readonly Index[]) =>
    writer.at(scope, node.inputs[i]!, coordinates);
  switch (node.op) {
    case 'iota': {
      const { dtype } = node.output;
      const place = `${wgslTypes[dtype]}(${at[node.attributes.axis]!.toWgsl()})`;
      return dtype === 'float16' ? roundedToHalf(place) : place;
    }
    case 'cast':
      return casts[node.inputs[0].dtype][node.output.dtype](operand(0, at));
    case 'transpose': {
      const { permutation } = node.attributes;
      return operand(
        0,
        permutation.map((_, axis) => at[permutation.indexOf(axis)]!),
      );
    }
    case 'broadcastTo':
      return operand(0, aligned(at, node.inputs[0].shape));
    case 'slice': {
      const { starts, strides } = node.attributes;
      return operand(
        0,
        at.map((index, axis) => index.times(strides[axis]!).plus(Index.number(starts[axis]!))),
      );
    }
    case 'reverse': {
      const { axes } = node.attributes;
      const { shape } = node.output;
      return operand(
        0,
        at.map((index, axis) =>
          axes.includes(axis) ? Index.number(shape[axis]! - 1).plus(index.times(-1)) : index,
        ),
      );
    }
    case 'gather': {
      const [table, indices] = node.inputs;
      const rank = indices.shape.length;
      const index = operand(1, at.slice(0, rank));
      const row = writer.define(scope, `clamp(${index}, 0, ${table.shape[0]! - 1})`, 'i32');
      const found = operand(0, [Index.variable(row, table.shape[0]!), ...at.slice(rank)]);
      return `select(${literal(node.attributes.fill, table.dtype)}, ${found}, ${row} == ${index})`;
    }
    case 'pad':
      return padded(writer, scope, node, at);
    case 'concat':
      return joined(writer, scope, node, at);
    default: {
      if (!(node.op in elementwise)) throw new NotFusable(`${node.op} is not computed by generated kernels`);
      const inputs: readonly StoredValue[] = node.inputs;
      const operands = inputs.map(({ shape }, i) => operand(i, aligned(at, shape)));
      const write = elementwise[node.op as ElementwiseName] as WgslOp;
      const element = write(operands, inputs[0]!.dtype);
      return node.output.dtype === 'float16' && !EXACT.has(node.op) ? roundedToHalf(element) : element;
    }
  }
}

/** A variable that is assigned in branches; each branch is a scope of its own. */
function branches(
  writer: ElementWriter,
  scope: Scope,
  type: DType,
  otherwise: string,
  cases: readonly { readonly condition: string; readonly value: (inner: Scope) => string }[],
): string {
  const name = writer.newName('b');
  const lines = [`  var ${name}: ${wgslTypes[type]} = ${otherwise};`];
  for (const [i, { condition, value }] of cases.entries()) {
    const inner = new Scope(scope);
    const result = value(inner);
    lines.push(`  ${i > 0 ? 'else ' : ''}if (${condition}) {`, ...inner.lines.map((line) => `  ${line}`));
    lines.push(`    ${name} = ${result};`, '  }');
  }
  scope.lines.push(...lines);
  return name;
}

function padded(
  writer: ElementWriter,
  scope: Scope,
  node: Extract<ProgramNode, { op: 'pad' }>,
  at: readonly Index[],
): string {
  const [x] = node.inputs;
  const { low, high, interior } = node.attributes;
  const conditions: string[] = [];
  const inside = at.map((index, axis) => {
    const step = interior[axis]! + 1;
    if (low[axis] === 0 && high[axis] === 0 && step === 1) return index;
    const from = writer.define(scope, index.plus(Index.number(-low[axis]!)).toWgsl(), 'i32');
    const span = (x.shape[axis]! - 1) * step + 1;
    conditions.push(`${from} >= 0`, `${from} < ${span}`);
    if (step > 1) conditions.push(`${from} % ${step} == 0`);
    return Index.variable(from, span).div(step);
  });
  const value = (inner: Scope) => writer.at(inner, x, inside);
  return branches(writer, scope, x.dtype, literal(0, x.dtype), [
    { condition: conditions.join(' && '), value },
  ]);
}

function joined(
  writer: ElementWriter,
  scope: Scope,
  node: Extract<ProgramNode, { op: 'concat' }>,
  at: readonly Index[],
): string {
  const { axis } = node.attributes;
  const { dtype } = node.output;
  const place = writer.define(scope, at[axis]!.toWgsl(), 'i32');
  let start = 0;
  const cases = node.inputs.map((input) => {
    const from = start;
    start += input.shape[axis]!;
    const value = (inner: Scope) => {
      const offset = from === 0 ? place : writer.define(inner, `${place} - ${from}`, 'i32');
      const own = Index.variable(offset, input.shape[axis]!);
      return writer.at(
        inner,
        input,
        at.map((index, a) => (a === axis ? own : index)),
      );
    };
    return { condition: `${place} < ${start}`, value };
  });
  return branches(writer, scope, dtype, literal(0, dtype), cases);
}
