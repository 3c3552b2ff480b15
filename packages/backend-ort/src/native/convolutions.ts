/**
 * Convolutions by strides: which convolutions of a graph the library of kernels computes, reading images and kernels where they
 * lie and writing the result where the movements after it would have put it. So channels may be the last axis, and the
 * gradients, whose operands are transposed and reversed, need no copies of them.
 */
import { sizeOf } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { viewsOf, type Instruction, type Program, type ValueId } from '@meanflow/core/backend';
import { Layout } from './layout.js';
import { needsOf, type Reads } from './needs.js';

/** Four axes in the memory of a value, by strides in elements. */
export interface StridedOperand {
  readonly value: ValueId;
  readonly offset: number;
  readonly strides: FourNumbers;
}

export type FourNumbers = readonly [number, number, number, number];
type Pair = readonly [down: number, across: number];

/** A convolution in one group, whose image has no gaps between its elements. */
export interface StridedConvolution {
  /** `[batch, channels, height, width]` */
  readonly image: StridedOperand & { readonly shape: FourNumbers };
  /** `[features, channels, height, width]` */
  readonly kernel: StridedOperand & { readonly shape: FourNumbers };
  /** `[batch, features, height, width]`: the convolution's own result, or what movements made of it. */
  readonly out: StridedOperand & { readonly shape: FourNumbers };
  readonly strides: Pair;
  /** Between places of the window. */
  readonly gaps: Pair;
  /** Rows of zeros above and columns to the left; what is cut off, where negative. */
  readonly before: Pair;
}

/** By the instruction in whose place it is done: the convolution, or the last of the movements after it. */
export type Convolutions = ReadonlyMap<Instruction, StridedConvolution>;

type ConvInstruction = Extract<Instruction, { readonly op: 'conv' }>;

/** Planes of an image wider than this are ONNX Runtime's. */
const WIDEST = 2048;

/** Settles which convolutions of a prepared graph are done by strides. @param reads what instructions of other kinds read */
export function planConvolutions(graph: Program, reads: Reads): Convolutions {
  const convolutions = new Map<Instruction, StridedConvolution>();
  if (!graph.instructions.some(({ op }) => op === 'conv')) return convolutions;
  const views = viewsOf(graph);
  for (const instruction of graph.instructions) {
    if (instruction.op !== 'conv' || !isOurs(graph, instruction)) continue;
    const [image, kernel] = instruction.inputs.map((input) => views[input]!) as [
      (typeof views)[number],
      (typeof views)[number],
    ];
    const [output] = instruction.outputs as readonly [ValueId];
    const { strides, rhsDilation, padding } = instruction.attributes;
    const down = <T>(values: readonly T[], one: T): readonly [T, T] =>
      values.length === 1 ? [one, values[0]!] : (values as readonly [T, T]);
    convolutions.set(instruction, {
      image: { ...operand(image), shape: fourAxes(image.shape, 1) },
      kernel: { ...operand(kernel), shape: fourAxes(kernel.shape, 1) },
      out: written(graph, output),
      strides: down(strides, 1),
      gaps: down(rhsDilation, 1),
      before: down(
        padding.map(([low]) => low),
        0,
      ),
    });
  }
  const { readers } = needsOf(graph, (instruction) => {
    const found = convolutions.get(instruction);
    return found === undefined ? reads(instruction) : operandsOfConvolution(found);
  });
  for (const [instruction, convolution] of [...convolutions]) {
    const layout = new Layout(graph.types[convolution.out.value]!.shape);
    let { out } = convolution;
    let last = instruction;
    for (let value = out.value; ;) {
      const [next, ...others] = readers.get(value) ?? [];
      if (next === undefined || next === 'output' || others.length > 0 || !layout.follow(next)) break;
      [value] = next.outputs as readonly [ValueId];
      const pieces = layout.pieces();
      // An axis that came apart is in several places.
      if (pieces.some((axis) => axis.length > 1)) continue;
      const strides = pieces.map(([piece]) => piece?.stride ?? 0);
      [out, last] = [{ ...out, value, strides: fourAxes(strides, 0) }, next];
    }
    convolutions.delete(instruction);
    convolutions.set(last, { ...convolution, out });
  }
  return convolutions;
}

/** The values that a convolution reads. */
export const operandsOfConvolution = ({ image, kernel }: StridedConvolution): readonly ValueId[] => [
  image.value,
  kernel.value,
];

function isOurs(graph: Program, { inputs, outputs, attributes }: ConvInstruction): boolean {
  const types = [...inputs, ...outputs].map((value) => graph.types[value]!);
  const [image, , result] = leading(types, 3);
  const isPlane = image.shape.length === 3 || image.shape.length === 4;
  const width = Math.max(image.shape.at(-1)!, result.shape.at(-1)!);
  return (
    isPlane &&
    width <= WIDEST &&
    attributes.groups === 1 &&
    attributes.lhsDilation.every((gap) => gap === 1) &&
    types.every(({ dtype, shape }) => dtype === 'float32' && sizeOf(shape) > 0)
  );
}

const operand = ({
  value,
  offset,
  strides,
}: {
  readonly value: ValueId;
  readonly offset: number;
  readonly strides: readonly number[];
}): StridedOperand => ({ value, offset, strides: fourAxes(strides, 0) });

function written(graph: Program, value: ValueId): StridedConvolution['out'] {
  const { shape } = graph.types[value]!;
  const four = fourAxes(shape, 1);
  const [, features, height, width] = four;
  return { value, offset: 0, shape: four, strides: [features * height * width, height * width, width, 1] };
}

/** With one line in place of none, where there is a single spatial axis. */
function fourAxes(values: readonly number[], line: number): FourNumbers {
  return (values.length === 4 ? values : [values[0]!, values[1]!, line, values[2]!]) as never;
}
