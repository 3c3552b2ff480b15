/**
 * autocast: a function whose products are computed in float16, and what must be exact in float32 (Micikevicius et al.,
 * "Mixed Precision Training", 2018). It is traced as it was written and rewritten, so that no network knows of it:
 * products take their operands rounded to float16 and give float16; what only moves, adds or scales elements stays in
 * float16 where all that it takes is; everything else, such as norms, softmax, exponentials, sums and losses, is in
 * float32. Arguments and results keep their types: parameters stay float32, and so do gradients, which pass the same casts
 * backwards. What is captured from outside is an argument too.
 */
import { apply } from './apply.js';
import { checkpoint, checkpointedBody } from './checkpoint.js';
import { callComposite } from './composite.js';
import { isTiledAttention } from './composites/tiled-attention.js';
import { cast, constant } from './functions.js';
import { LARGEST_HALF } from './half.js';
import type { PrimitiveName } from './ops/attributes.js';
import type { TreeOf } from './pytree.js';
import { rewritten } from './rewritten.js';
import { uniformValue } from './simplify-rule.js';
import type { Instruction, Program, Tensor } from './tensor.js';

/** What products are computed in. */
export const precisions = ['float32', 'float16'] as const;
export type Precision = (typeof precisions)[number];

/** Computed in float16, on operands that are rounded to it. */
const PRODUCTS: ReadonlySet<string> = new Set<PrimitiveName>(['dotGeneral', 'conv']);

/** Computed in what its operands are: in float16 where all are, or are numbers that float16 has too. */
const FOLLOWS: ReadonlySet<string> = new Set<PrimitiveName>([
  'neg', 'abs', 'add', 'sub', 'mul', 'maximum', 'minimum', 'select',
  'reshape', 'transpose', 'broadcastTo', 'slice', 'pad', 'concat', 'reverse', 'stopGradient', 'optimizationBarrier',
]); // prettier-ignore

/** The least number that float16 has all digits of. */
const SMALLEST_NORMAL = 2 ** -14;

/**
 * `f` with its products in float16.
 *
 * @param f a pure function of trees of tensors
 */
export function autocast<
  Args extends readonly unknown[] & TreeOf<Args, Tensor>,
  Out extends TreeOf<Out, Tensor>,
>(f: (...args: Args) => Out): (...args: Args) => Out {
  return rewritten(f, 'autocast', castProgram);
}

/** Runs a program symbolically, with its products in float16; results are of the program's types. */
function castProgram(program: Program, inputs: readonly Tensor[]): Tensor[] {
  const values = new Array<Tensor>(program.types.length);
  /** Each value is converted once each way. */
  const casts = new Map<Tensor, Tensor>();
  const to = (x: Tensor, dtype: 'float16' | 'float32'): Tensor => {
    if (x.dtype === dtype || (x.dtype !== 'float16' && x.dtype !== 'float32')) return x;
    const known = casts.get(x) ?? cast(x, dtype);
    casts.set(x, known);
    // Widened and rounded again it is what it was. (The other way round it is not.)
    if (dtype === 'float32') casts.set(known, x);
    return known;
  };
  program.inputs.forEach(({ value }, i) => (values[value] = inputs[i]!));
  for (const instruction of program.instructions) {
    const operands = instruction.inputs.map((input) => values[input]!);
    const results = lowered(instruction, operands, to);
    instruction.outputs.forEach((output, i) => {
      const isFloat16 = program.types[output]!.dtype === 'float16';
      values[output] = isFloat16 ? to(results[i]!, 'float16') : results[i]!;
    });
  }
  return program.outputs.map(({ value }) => {
    const { dtype } = program.types[value]!;
    return dtype === 'float32' || dtype === 'float16' ? to(values[value]!, dtype) : values[value]!;
  });
}

function lowered(
  instruction: Instruction,
  operands: readonly Tensor[],
  to: (x: Tensor, dtype: 'float16' | 'float32') => Tensor,
): readonly Tensor[] {
  const { op, attributes } = instruction;
  const exact = () => operands.map((x) => to(x, 'float32'));
  if (op === 'composite') {
    const { definition, parameters, body } = attributes;
    if (isTiledAttention(attributes)) {
      const halves = operands.map((x) => to(x, 'float16'));
      return callComposite(definition, halves, parameters);
    }
    if (!hasProducts(body)) return callComposite(definition, exact(), parameters);
    const recomputed = checkpointedBody(attributes);
    if (recomputed === undefined) return castProgram(body, exact());
    const { body: inside, options } = recomputed;
    return checkpoint((...inputs: readonly Tensor[]) => castProgram(inside, inputs), options)(...exact());
  }
  const isHalf = PRODUCTS.has(op) || (FOLLOWS.has(op) && allInHalf(op, operands));
  return [apply(op, isHalf ? operands.map((x) => inHalf(x, to)) : exact(), attributes)];
}

function inHalf(x: Tensor, to: (x: Tensor, dtype: 'float16' | 'float32') => Tensor): Tensor {
  const number = x.rank === 0 ? uniformValue(x) : undefined;
  return x.dtype === 'float32' && number !== undefined ? constant(number, 'float16') : to(x, 'float16');
}

/** Whether what an op computes with is in float16, so that its result is no less exact in it. */
function allInHalf(op: string, operands: readonly Tensor[]): boolean {
  // A square, which is what sums of squares are made of, leaves the range soon.
  if (op === 'mul' && operands[0] === operands[1]) return false;
  const floats = operands.filter(({ dtype }) => dtype === 'float32');
  return operands.some(({ dtype }) => dtype === 'float16') && floats.every(isHalfNumber);
}

function isHalfNumber(x: Tensor): boolean {
  const size = Math.abs(uniformValue(x) ?? NaN);
  return x.rank === 0 && (size === 0 || (size >= SMALLEST_NORMAL && size <= LARGEST_HALF));
}

/** Whether there are products in a program. */
function hasProducts({ instructions }: Program): boolean {
  return instructions.some(({ op, attributes }) =>
    op === 'composite' ? hasProducts(attributes.body) : PRODUCTS.has(op),
  );
}
