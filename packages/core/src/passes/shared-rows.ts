/**
 * What `shareRows` does with one instruction: where its operands are stretches of larger values, it looks whether the same is computed
 * of these already, and takes the stretch of that.
 */
import type { PrimitiveName } from '../ops/attributes.js';
import { madeBy } from '../simplify-rule.js';
import { type CompositeCall, type Program, type Tensor } from '../tensor.js';
import { sameShape } from '../types.js';
import { liftRows, type Lifted, type RowOperand, type Stretch } from './lift-rows.js';

/** What exists already of the instructions on larger values, and of slices of them. */
export interface Existing {
  /** The value of an instruction, if there is one. */
  readonly find: (op: PrimitiveName, inputs: readonly Tensor[], attributes: object) => Tensor | undefined;
  /** The results of a composite call, if there is one. */
  readonly findComposite: (call: CompositeCall, inputs: readonly Tensor[]) => readonly Tensor[] | undefined;
  readonly slice: (whole: Tensor, stretch: Stretch) => Tensor;
}

/** Of which value a tensor is a stretch: a slice along one axis, without gaps. */
function stretchOf(tensor: Tensor): Stretch | undefined {
  const node = madeBy(tensor, 'slice');
  if (node === undefined) return undefined;
  const { starts, limits, strides } = node.attributes;
  const { shape } = node.inputs[0];
  const cut = shape.flatMap((n, axis) => (starts[axis] === 0 && limits[axis] === n ? [] : [axis]));
  const [axis] = cut;
  if (axis === undefined || cut.length > 1 || strides.some((stride) => stride !== 1)) return undefined;
  return { axis, from: starts[axis]!, to: limits[axis]!, of: shape[axis]! };
}

/** Whether a value is one element repeated along an axis: so are tokens that all rows share, one after another. */
function repeatsAlong(tensor: Tensor, axis: number): boolean {
  const joined = madeBy(tensor, 'concat');
  if (joined !== undefined) {
    return joined.attributes.axis !== axis && joined.inputs.every((input) => repeatsAlong(input, axis));
  }
  const source = madeBy(tensor, 'broadcastTo')?.inputs[0];
  if (source === undefined) return false;
  const own = axis - (tensor.rank - source.rank);
  return own < 0 || source.shape[own] === 1;
}

const operandOf = (tensor: Tensor): RowOperand => ({
  shape: tensor.shape,
  stretch: stretchOf(tensor),
  repeats: (axis) => repeatsAlong(tensor, axis),
});

/** The larger value of an operand, if there is one. */
function wholeOf(
  tensor: Tensor,
  axis: number | undefined,
  rows: number,
  existing: Existing,
): Tensor | undefined {
  if (axis === undefined) return tensor;
  if (stretchOf(tensor) !== undefined) return madeBy(tensor, 'slice')!.inputs[0];
  const joined = madeBy(tensor, 'concat');
  if (joined !== undefined) {
    const wholes = joined.inputs.map((input) => wholeOf(input, axis, rows, existing));
    const found = wholes.every((whole) => whole !== undefined);
    return found ? existing.find('concat', wholes, joined.attributes) : undefined;
  }
  const shape = tensor.shape.map((n, at) => (at === axis ? rows : n));
  return existing.find('broadcastTo', madeBy(tensor, 'broadcastTo')!.inputs, { shape });
}

/** How long the larger value of each operand is along its axis. */
const lengthOf = (operands: readonly RowOperand[]) => operands.find(({ stretch }) => stretch)!.stretch!.of;

/** Rows of an instruction on all rows, if there is one. */
export function sharedRows(
  op: PrimitiveName,
  inputs: readonly Tensor[],
  attributes: object,
  result: Tensor['shape'],
  existing: Existing,
): Tensor | undefined {
  const operands = inputs.map(operandOf);
  if (operands.every(({ stretch }) => stretch === undefined)) return undefined;
  for (const lifted of liftRows(op, operands, attributes, result)) {
    const wholes = inputs.map((input, i) => wholeOf(input, lifted.axes[i], lengthOf(operands), existing));
    if (!wholes.every((whole) => whole !== undefined)) continue;
    const found = existing.find(op, wholes, lifted.attributes);
    if (found !== undefined) return existing.slice(found, lifted.stretch);
  }
  return undefined;
}

/** The same of a composite that is kept whole: its decomposition says whether it keeps rows apart. */
export function sharedRowsOfComposite(
  call: CompositeCall,
  inputs: readonly Tensor[],
  existing: Existing,
): readonly Tensor[] | undefined {
  const operands = inputs.map(operandOf);
  if (operands.every(({ stretch }) => stretch === undefined)) return undefined;
  const wholes = inputs.map((input, i) =>
    operands[i]!.stretch === undefined ? input : madeBy(input, 'slice')!.inputs[0],
  );
  const found = existing.findComposite(call, wholes);
  if (found?.[0]?.node.op !== 'composite') return undefined;
  const stretches = stretchesOf(call.body, found[0].node.attributes.body, operands);
  return stretches && found.map((whole, i) => existing.slice(whole, stretches[i]!));
}

/**
 * Of which stretches the outputs of a program are, given those of its inputs; undefined where it is not of each.
 *
 * @param whole the same program of the larger values
 */
function stretchesOf(
  program: Program,
  whole: Program,
  operands: readonly RowOperand[],
): readonly Stretch[] | undefined {
  const stretches = new Map<number, Stretch>();
  program.inputs.forEach(({ value }, i) => {
    const { stretch } = operands[i]!;
    if (stretch !== undefined) stretches.set(value, stretch);
  });
  for (const [i, { op, inputs, outputs, attributes }] of program.instructions.entries()) {
    const given = inputs.map((input): RowOperand => {
      const { shape } = program.types[input]!;
      return { shape, stretch: stretches.get(input), repeats: () => false };
    });
    if (given.every(({ stretch }) => stretch === undefined)) continue;
    const same = whole.instructions[i];
    let made: readonly Stretch[] | undefined;
    if (op === 'composite') {
      made = same?.op === op ? stretchesOf(attributes.body, same.attributes.body, given) : undefined;
    } else if (same?.op === op) {
      const { shape } = program.types[outputs[0]]!;
      const expected = whole.types[same.outputs[0]]!.shape;
      const isExpected = ({ stretch: { axis, of } }: Lifted<object>) =>
        sameShape(
          expected,
          shape.map((n, at) => (at === axis ? of : n)),
        );
      const lifted = liftRows(op, given, attributes, shape).find(isExpected);
      made = lifted && [lifted.stretch];
    }
    if (made === undefined) return undefined;
    for (const [k, output] of outputs.entries()) stretches.set(output, made[k]!);
  }
  const results = program.outputs.map(({ value }) => stretches.get(value));
  return results.every((stretch) => stretch !== undefined) ? results : undefined;
}
