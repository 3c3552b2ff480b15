/**
 * OwnKernels: the instructions of a prepared graph that the library of our own kernels computes. Its kernels read operands where
 * they lie, by strides, so movements around them are mostly not carried out.
 */
import { sizeOf, type DType, type Shape, type TensorType } from '@meanflow/core';
import type { Instruction, ValueId, View, Program } from '@meanflow/core/backend';
import type { StoredOperand } from '../lowerings/lowering.js';
import { reshapeTo } from '../lowerings/shaping.js';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { operandsOfConvolution, planConvolutions, type Convolutions } from './convolutions.js';
import { productsWithin, type FusedInstruction, type ProductWithin } from './fused-products.js';
import { isFused, lowerFused, lowerFusedProduct, type FusedOperand } from './lower-fused.js';
import { lowerConvolution } from './lower-convolution.js';
import { lowerProduct } from './lower-product.js';
import { lowerSum } from './lower-sum.js';
import { needsOf, type Needs, type Reads } from './needs.js';
import { operandsOfProduct, planProducts, type Products, type StridedProduct } from './products.js';
import { hasRuns, slicesOf } from './slices.js';

/** The values of a graph as they stand in the model. */
export interface Values {
  get(value: ValueId): StoredOperand;
  define(value: ValueId, name: ValueName): void;
  /** Takes an operand for a value as it is. */
  take(value: ValueId, operand: StoredOperand): void;
}

export class OwnKernels {
  private readonly products: Products;
  private readonly convolutions: Convolutions;
  private readonly within: ReadonlyMap<Instruction, ProductWithin>;
  private readonly idle: Needs['idle'];
  /** Of a fused call's operand, the slice that it is, where it is one that kernels read well. */
  private readonly sliceOf: (value: ValueId) => View | undefined;
  /** The value in whose memory the elements of a fused call's operand lie. */
  private readonly source: (value: ValueId) => ValueId;

  /**
   * @param constants values that sessions have before they run
   * @param threads of the session
   */
  constructor(
    private readonly graph: Program,
    constants: ReadonlySet<ValueId>,
    private readonly threads: number,
  ) {
    const slices = slicesOf(graph);
    this.sliceOf = (value) => {
      const slice = slices.get(value);
      return slice && hasRuns(slice) ? slice : undefined;
    };
    const reshaped = reshapedFrom(graph);
    this.source = (value) => this.sliceOf(value)?.value ?? reshaped.get(value) ?? value;
    const reads: Reads = (instruction) =>
      isFusedCall(instruction) ? instruction.inputs.map(this.source) : instruction.inputs;
    this.convolutions = planConvolutions(graph, reads);
    const readsOfOthers: Reads = (instruction) => {
      const convolution = this.convolutions.get(instruction);
      return convolution === undefined ? reads(instruction) : operandsOfConvolution(convolution);
    };
    this.products = planProducts(graph, readsOfOthers);
    const readsOf: Reads = (instruction) => {
      const product = this.products.get(instruction);
      return product === undefined ? readsOfOthers(instruction) : operandsOfProduct(product);
    };
    const { readers } = needsOf(graph, readsOf);
    const memory = (value: ValueId) => (this.sliceOf(value) === undefined ? this.source(value) : value);
    this.within = productsWithin(graph, { products: this.products, readers, memory, constants });
    this.idle = needsOf(graph, (instruction) => {
      const within = this.within.get(instruction);
      if (within === undefined) return readsOf(instruction);
      const others = reads(instruction).filter((_, i) => i !== within.input);
      return [...operandsOfProduct(within.product), ...others];
    }).idle;
  }

  /** Writes an instruction, where the library computes it or nothing is to be done for it. @returns whether that was so */
  lower(builder: ModelBuilder, instruction: Instruction, values: Values): boolean {
    if (this.idle.has(instruction)) return true;
    const product = this.products.get(instruction);
    if (product !== undefined) {
      const type = this.graph.types[product.c.value]!;
      values.define(
        product.c.value,
        lowerProduct(builder, product, memories(product, values), type, this.threads),
      );
      return true;
    }
    const convolution = this.convolutions.get(instruction);
    if (convolution !== undefined) {
      const { value } = convolution.out;
      const memory = operandsOfConvolution(convolution).map((operand) => values.get(operand).memory);
      values.define(
        value,
        lowerConvolution(builder, convolution, memory, this.graph.types[value]!, this.threads),
      );
      return true;
    }
    if (isFusedCall(instruction)) return this.lowerCall(builder, instruction, values);
    const [output] = instruction.outputs as readonly [ValueId];
    if (instruction.op === 'reshape' && !isEmpty(this.graph.types[output]!)) {
      values.take(
        output,
        new Reshaped(builder, this.graph.types[output]!, values.get(instruction.inputs[0]!)),
      );
      return true;
    }
    if (instruction.op !== 'reduceSum') return false;
    const x = values.get(instruction.inputs[0]);
    if (x.dtype !== 'float32' || isEmpty(x)) return false;
    const sum = lowerSum(builder, x.memory, x.shape, instruction.attributes.axes, this.threads);
    if (sum !== undefined) values.define(output, sum);
    return sum !== undefined;
  }

  private lowerCall(builder: ModelBuilder, instruction: FusedInstruction, values: Values): true {
    const { attributes: call, inputs, outputs } = instruction;
    const within = this.within.get(instruction);
    const types = outputs.map((output) => this.graph.types[output]!);
    const operands = inputs.map((input, i): FusedOperand => {
      const slice = this.sliceOf(input);
      // The product itself is nowhere.
      const memory = i === within?.input ? '' : values.get(this.source(input)).memory;
      return { memory, place: slice };
    });
    const results =
      within === undefined
        ? lowerFused(builder, call, operands, types)
        : lowerFusedProduct(
            builder,
            call,
            within,
            memories(within.product, values),
            operands,
            types,
            this.threads,
          );
    outputs.forEach((output, i) => values.define(output, results[i]!));
    return true;
  }
}

const isFusedCall = (instruction: Instruction): instruction is FusedInstruction =>
  instruction.op === 'composite' && isFused(instruction.attributes);

const memories = (product: StridedProduct, values: Values): readonly ValueName[] =>
  operandsOfProduct(product).map((value) => values.get(value).memory);

const isEmpty = ({ shape }: TensorType): boolean => sizeOf(shape) === 0;

/** Of what each reshaped value is a reshape. */
function reshapedFrom({ instructions, types }: Program): ReadonlyMap<ValueId, ValueId> {
  const sources = new Map<ValueId, ValueId>();
  for (const { op, inputs, outputs } of instructions) {
    const [input, output] = [inputs[0]!, outputs[0]!];
    if (op === 'reshape' && !isEmpty(types[output]!)) sources.set(output, sources.get(input) ?? input);
  }
  return sources;
}

/** A value under another shape, of which a node makes one of this shape when somebody asks for it. */
class Reshaped implements StoredOperand {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly memory: ValueName;
  readonly scalar: number | undefined;
  private made: ValueName | undefined;

  constructor(
    private readonly builder: ModelBuilder,
    { dtype, shape }: TensorType,
    private readonly source: StoredOperand,
  ) {
    [this.dtype, this.shape, this.memory, this.scalar] = [dtype, shape, source.memory, source.scalar];
  }

  get name(): ValueName {
    return (this.made ??= reshapeTo(this.builder, this.source.name, this.source.shape, this.shape));
  }
}
