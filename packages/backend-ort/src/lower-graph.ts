/**
 * lowerGraph: a prepared graph as one ONNX model. Instructions are written in order by the lowering table; values
 * without elements and results computed from nothing are filled in here, so that no lowering has to think of them.
 */
import { drain, sizeOf, type Graph, type Steps, type TensorType } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import {
  lowering,
  ofNothing,
  preparing,
  widenFloat16,
  type CompositeCall,
  type Instruction,
  type OpName,
  type Program,
  type ValueId,
} from '@meanflow/core/backend';
import { hasKernelIn, lowerComposite } from './composites.js';
import type { OrtDevice } from './options.js';
import type { Lowering, Operand, StoredOperand } from './lowerings/lowering.js';
import { fill } from './lowerings/structure.js';
import type { ValueName } from './onnx/model.js';
import { ModelBuilder } from './onnx/model-builder.js';
import { canFuse, isFused } from './native/lower-fused.js';
import { OwnKernels, type Values } from './native/own-kernels.js';
import { targets, withOwnKernels, type Target } from './targets.js';

/** The names under which a graph's inputs and outputs stand in the model; one path may be both. */
export const inputName = (path: string): ValueName => `in:${path}`;
export const outputName = (path: string): ValueName => `out:${path}`;

/**
 * A graph as an ONNX model.
 *
 * @param device where it is to run; the devices' providers have different operators
 * @param options.ownKernels for the native binding, which has the library of our own kernels, on so many threads
 *
 * @returns the encoded `ModelProto`; inputs and outputs are called `in:<path>` and `out:<path>`
 * @throws {BackendError} when ONNX Runtime has no way to compute an op, naming the op and its operands
 */
export function toOnnx(
  graph: Graph,
  device: OrtDevice = 'cpu',
  { ownKernels }: { readonly ownKernels?: { readonly threads: number } } = {},
): Uint8Array {
  const target = ownKernels === undefined ? targets[device] : withOwnKernels(ownKernels.threads);
  return lowerGraph(graph, target).encode();
}

/** How the outside of a graph is written. */
export interface Interface {
  /**
   * Writes what stands for an input, which may be an input of the model or an array in it.
   *
   * @param isRead whether anything reads it
   */
  readonly input: (builder: ModelBuilder, path: string, type: TensorType, isRead: boolean) => ValueName;
  /** The name of an output in the model. */
  readonly outputName: (path: string) => ValueName;
  /** Whether what stands for an input is an array that sessions have before they run. No input is one by default. */
  readonly isConstant?: (path: string) => boolean;
}

const everyInput: Interface = {
  input: (builder, path, type) => builder.input(inputName(path), type),
  outputName,
};

/** Writes a graph for a target. @throws {BackendError} as {@link toOnnx} */
export function lowerGraph(given: Graph, target: Target, outside = everyInput): ModelBuilder {
  return drain(loweringGraph(given, target, outside));
}

/** How many instructions are written at a time: well under a millisecond's work each. */
const AT_A_TIME = 16;

/** {@link lowerGraph} in small steps, for who has other things to do meanwhile. */
export function* loweringGraph(given: Graph, target: Target, outside = everyInput): Steps<ModelBuilder> {
  return yield* writingGraph(yield* preparingFor(given, target), target, outside);
}

/** The first half of it: the graph that is written, of which nothing is changed any more. */
export function* preparingFor(given: Graph, target: Target): Steps<Program> {
  const prepared = yield* preparing(given, { hasKernel: hasKernelOf(target) });
  return widenFloat16(prepared, (op) => HALF_KERNELS.has(op));
}

/** The second half: the model of a prepared graph, or of a part of one. */
export function* writingGraph(graph: Program, target: Target, outside = everyInput): Steps<ModelBuilder> {
  const builder = new ModelBuilder(graph.name, target);
  const values = new Array<StoredOperand>(graph.types.length);
  const define = (id: ValueId, name: ValueName, scalar?: number) =>
    (values[id] = { ...graph.types[id]!, name, memory: name, scalar });
  const isRead = new Set([
    ...graph.instructions.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ value }) => value),
  ]);
  for (const { name, value } of graph.inputs) {
    define(value, outside.input(builder, name, graph.types[value]!, isRead.has(value)));
  }
  yield;
  const own =
    target.threads === undefined
      ? undefined
      : new OwnKernels(graph, constantValues(graph, outside), target.threads);
  const known: Values = {
    get: (id) => values[id]!,
    define: (id, name) => void define(id, name),
    take: (id, operand) => void (values[id] = operand),
  };
  for (const [i, instruction] of graph.instructions.entries()) {
    if (i % AT_A_TIME === 0) yield;
    builder.enter(`${instruction.op}.${instruction.outputs[0]}`);
    if (own?.lower(builder, instruction, known)) continue;
    const inputs = instruction.inputs.map((input) => values[input]!);
    const outputs = instruction.outputs.map((output) => graph.types[output]!);
    const names = lowerInstruction(target, builder, instruction, inputs, outputs);
    const scalar = scalarValue(instruction);
    instruction.outputs.forEach((output, i) => define(output, names[i]!, scalar));
  }
  for (const { name, value } of graph.outputs) {
    builder.output(outside.outputName(name), graph.types[value]!, values[value]!.name);
  }
  return builder;
}

/** The values that sessions have before they run. */
function constantValues({ inputs, instructions }: Program, { isConstant }: Interface): ReadonlySet<ValueId> {
  return new Set([
    ...inputs.filter(({ name }) => isConstant?.(name)).map(({ value }) => value),
    ...instructions.filter(({ op }) => op === 'constant').map(({ outputs }) => outputs[0]!),
  ]);
}

/** Which composites a target takes whole. */
function hasKernelOf({ kernels, threads }: Target): (call: CompositeCall) => boolean {
  const isOperator = hasKernelIn(kernels);
  return (call) => (isFused(call) ? threads !== undefined && canFuse(call) : isOperator(call));
}

/** Ops whose operators take float16 as they take float32, on all providers or by a cast that ONNX Runtime adds on the CPU. */
const HALF_KERNELS: ReadonlySet<OpName> = new Set<OpName>([
  'dotGeneral', 'conv', 'add', 'sub', 'mul', 'neg', 'reshape', 'transpose', 'broadcastTo', 'slice', 'concat', 'optimizationBarrier',
]); // prettier-ignore

const isEmpty = ({ shape }: TensorType): boolean => sizeOf(shape) === 0;

/** Ops whose result may have elements though an operand has none. */
const FROM_NOTHING: ReadonlySet<OpName> = new Set<OpName>(['reduceSum', 'reduceMax', 'dotGeneral', 'conv', 'pad', 'gather', 'scatterAdd']); // prettier-ignore

function lowerInstruction(
  { lowerings, kernels }: Target,
  builder: ModelBuilder,
  instruction: Instruction,
  inputs: readonly Operand[],
  outputs: readonly TensorType[],
): readonly ValueName[] {
  const { op, attributes } = instruction;
  // Asked for here, so that no node for them comes to stand in a branch.
  for (const { name } of inputs) void name;
  return lowering(op, inputs, 'could not be written as ONNX', () => {
    if (op === 'composite') return lowerComposite(kernels, builder, attributes, inputs);
    const [output] = leading(outputs, 1);
    if (isEmpty(output)) return [fill(builder, output, 0)];
    if (FROM_NOTHING.has(op) && inputs.some(isEmpty)) {
      return [fill(builder, output, ofNothing(op, output.dtype, attributes))];
    }
    const lower = lowerings[op] as Lowering<typeof op>;
    return [lower({ builder, inputs, attributes: attributes as never, output })];
  });
}

function scalarValue(instruction: Instruction): number | undefined {
  if (instruction.op !== 'constant') return undefined;
  const { value } = instruction.attributes;
  return value.size === 1 ? value.data[0] : undefined;
}
