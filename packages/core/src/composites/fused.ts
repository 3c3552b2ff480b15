/**
 * fused: a cluster of elementwise instructions, and of reductions over trailing axes, as one call. The pass `fuse` makes such calls for
 * backends that compute a whole cluster in one walk over memory; every other inlines them, as any composite. Its body has
 * one form, that `fusedForm` checks, and nothing else may be assumed of it.
 */
import { ArgumentError } from '../errors.js';
import type { PrimitiveName } from '../ops/attributes.js';
import type { CompositeDefinition, Instruction, Program } from '../tensor.js';
import { formatShape, sameShape, sizeOf, type Shape } from '../types.js';
import { applyProgram } from '../graph.js';

/** Most inputs, outputs and instructions that compute, of a fused body. */
export const FUSED_LIMITS = { inputs: 24, outputs: 12, instructions: 128 } as const;

/** The instructions of fused bodies that compute an element of their result from one element of each operand. */
export const FUSED_ELEMENTWISE: ReadonlySet<string> = new Set<PrimitiveName>([
  'neg', 'abs', 'sign', 'floor', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'erfc', 'isFinite', 'not', 'cast',
  'add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'equal', 'less', 'lessEqual', 'and', 'or', 'select',
]); // prettier-ignore

/** The body is a parameter too: two calls are the same only if they have the same one. */
export const fusedDefinition: CompositeDefinition<{ readonly body: Program }> = {
  name: 'fused',
  decompose: (inputs, { body }) => applyProgram(body, inputs),
};

/** Sizes of the axes that are not 1. */
export const properShape = (shape: Shape): number[] => shape.filter((size) => size !== 1);

/** What a fused body walks. */
export interface FusedForm {
  /** The iteration space, without axes of size 1; each value has some of its axes, in its order. */
  readonly space: Shape;
  /** How many trailing axes of the space the body's reductions take away; 0 where it has none. */
  readonly reduced: number;
}

/**
 * The form of a fused body: one iteration space S, which is the shape of its largest value. Its instructions are elementwise, scalar
 * constants, `broadcastTo`, reshapes that add or drop axes of size 1, and `reduceSum` and `reduceMax` over the same trailing
 * axes of S. Its outputs have the axes of S, or those that are not reduced, and axes of size 1 anywhere.
 *
 * @throws {ArgumentError} when the body has another form, saying what is wrong
 */
export function fusedForm(body: Program): FusedForm {
  const refuse = (what: string): never => {
    throw new ArgumentError(`Not the form of a fused body: ${what}.`);
  };
  const shapeOf = (value: number): Shape => body.types[value]!.shape;
  const space = body.types.reduce<Shape>(
    (most, { shape }) => (sizeOf(shape) > sizeOf(most) ? properShape(shape) : most),
    [],
  );
  let reduced = 0;
  let count = 0;
  const checkReduction = (operand: Shape, axes: readonly number[]): void => {
    const proper = operand.flatMap((size, axis) => (size === 1 ? [] : [axis]));
    const taken = proper.filter((axis) => axes.includes(axis));
    const areTrailing = sameShape(taken, proper.slice(proper.length - taken.length));
    if (
      !sameShape(properShape(operand), space) ||
      !areTrailing ||
      (reduced !== 0 && reduced !== taken.length)
    )
      refuse(`it reduces axes ${formatShape(axes)} of ${formatShape(operand)} in ${formatShape(space)}`);
    reduced = taken.length;
  };
  const check = ({ op, attributes, inputs, outputs }: Instruction): void => {
    if (op === 'constant') {
      if (attributes.value.shape.length > 0) refuse('a constant is no scalar');
      return;
    }
    if (op === 'reshape') {
      const [from, to] = [shapeOf(inputs[0]), shapeOf(outputs[0])];
      if (!sameShape(properShape(from), properShape(to)))
        refuse(`it reshapes ${formatShape(from)} to ${formatShape(to)}`);
      return;
    }
    if (op === 'broadcastTo') return;
    count += 1;
    if (op === 'reduceSum' || op === 'reduceMax') checkReduction(shapeOf(inputs[0]), attributes.axes);
    else if (!FUSED_ELEMENTWISE.has(op)) refuse(`it holds ${op}`);
  };
  body.instructions.forEach(check);
  for (const { value } of body.outputs) {
    const proper = properShape(shapeOf(value));
    const isRows = reduced > 0 && sameShape(proper, space.slice(0, space.length - reduced));
    if (!isRows && !sameShape(proper, space))
      refuse(`an output of ${formatShape(shapeOf(value))} in ${formatShape(space)}`);
  }
  const sizes = { inputs: body.inputs.length, outputs: body.outputs.length, instructions: count };
  for (const part of ['inputs', 'outputs', 'instructions'] as const) {
    if (sizes[part] > FUSED_LIMITS[part])
      refuse(`${sizes[part]} ${part}, of which ${FUSED_LIMITS[part]} are the most`);
  }
  return { space, reduced };
}
