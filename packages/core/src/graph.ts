/**
 * Graph: an immutable, typed program in static single assignment form. Values are numbered; instructions stand in an
 * order in which they can run; inputs and outputs carry the pytree paths by which callers name them. Transforms take
 * a graph apart by applying it to tensors; backends walk its instructions.
 */
import { ShapeError, TraceError } from './errors.js';
import { graphText } from './graph-text.js';
import { graphStats, type GraphStats } from './graph-stats.js';
import {
  Tensor,
  type Instruction,
  type NamedValue,
  type Program,
  type TraceNode,
  type ValueId,
} from './tensor.js';
import { formatType, sameShape, type TensorType } from './types.js';

/** An immutable program. Made by `trace` and by transforms. */
export class Graph implements Program {
  /** @internal */
  constructor(
    readonly name: string,
    /** Type of each value, by number. */
    readonly types: readonly TensorType[],
    readonly inputs: readonly NamedValue[],
    readonly instructions: readonly Instruction[],
    readonly outputs: readonly NamedValue[],
  ) {}

  /**
   * Runs the program symbolically: adds its instructions to whatever is being traced.
   *
   * @param inputs one tensor per input, in order
   * @returns one tensor per output, in order
   * @throws {ShapeError} when an input's type is not the graph's
   */
  apply(inputs: readonly Tensor[]): Tensor[] {
    return applyProgram(this, inputs);
  }

  /** Counts of ops, floating-point operations, bytes moved and peak live bytes. */
  stats(): GraphStats {
    return graphStats(this);
  }

  /** The program as readable text, one instruction a line. */
  toString(): string {
    return graphText(this);
  }
}

/** Runs a program symbolically; see {@link Graph.apply}. */
export function applyProgram(program: Program, inputs: readonly Tensor[]): Tensor[] {
  const { name: title, types } = program;
  if (inputs.length !== program.inputs.length) {
    throw new ShapeError(`Graph "${title}" takes ${program.inputs.length} inputs, got ${inputs.length}.`);
  }
  const values = new Array<Tensor>(types.length);
  program.inputs.forEach(({ name, value }, i) => {
    const [expected, given] = [types[value]!, inputs[i]!];
    if (given.dtype !== expected.dtype || !sameShape(given.shape, expected.shape)) {
      throw new ShapeError(
        `Graph "${title}" takes ${formatType(expected)} as "${name}", got ${formatType(given)}.`,
      );
    }
    values[value] = given;
  });
  for (const { op, inputs: operands, attributes, outputs } of program.instructions) {
    const results = Tensor.emitAll(
      op,
      operands.map((operand) => values[operand]!),
      attributes,
      outputs.map((output) => types[output]!),
    );
    outputs.forEach((output, i) => (values[output] = results[i]!));
  }
  return program.outputs.map(({ value }) => values[value]!);
}

/** A tensor under the name by which it enters or leaves a graph. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * Closes the program that computes `outputs` from `inputs`; what no output needs is left out.
 *
 * @throws {TraceError} when an output depends on an input of another trace
 */
export function closeGraph(
  name: string,
  inputs: readonly NamedTensor[],
  outputs: readonly NamedTensor[],
): Graph {
  const types: TensorType[] = [];
  const numbers = new Map<Tensor, ValueId>();
  const number = (tensor: Tensor): ValueId => {
    numbers.set(tensor, types.length);
    return types.push({ dtype: tensor.dtype, shape: tensor.shape }) - 1;
  };
  const graphInputs = inputs.map((input) => ({ name: input.name, value: number(input.tensor) }));
  const boundary = new Set(inputs.map(({ tensor }) => tensor.node));
  const instructions: Instruction[] = [];
  for (const node of collectNodes(
    outputs.map(({ tensor }) => tensor),
    boundary,
  )) {
    if (node.op === 'alias') {
      numbers.set(node.outputs[0], numbers.get(node.inputs[0])!);
    } else if (node.op === 'input') {
      throw new TraceError(
        `An output of "${name}" depends on tensor "${node.attributes.name}" of another trace. ` +
          'A traced function may only use tensors that it was given; pass this one as an argument.',
      );
    } else {
      instructions.push({
        op: node.op,
        attributes: node.attributes,
        inputs: node.inputs.map((input) => numbers.get(input)!),
        outputs: node.outputs.map(number),
      } as Instruction);
    }
  }
  const graphOutputs = outputs.map((output) => ({ name: output.name, value: numbers.get(output.tensor)! }));
  return new Graph(name, types, graphInputs, instructions, graphOutputs);
}

/** The nodes that outputs depend on, in an order in which they can run; stops at (and leaves out) `boundary`. */
export function collectNodes(
  outputs: readonly Tensor[],
  boundary: ReadonlySet<TraceNode>,
  accept: (node: TraceNode) => boolean = () => true,
): TraceNode[] {
  const seen = new Set<TraceNode>(boundary);
  const found: TraceNode[] = [];
  const pending = outputs.map(({ node }) => node);
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    if (!accept(node)) continue;
    found.push(node);
    for (const input of node.inputs) pending.push(input.node);
  }
  return found.sort((a, b) => a.id - b.id);
}
