/**
 * A graph as float32 hardware might compute it: after every op that rounds, ξ · (the table's bound) · u is added, with ξ
 * an input. ξ = ±1 drawn at random makes the reference interpreter a Monte Carlo model of float32 (Parker, "Monte Carlo
 * arithmetic", 1997), in which errors travel through the graph as they would on a device, correlations included.
 */
import {
  add,
  Graph,
  HostArray,
  mul,
  spec,
  trace,
  type RandomKey,
  type Shape,
  type Tensor,
  type TensorType,
} from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { simplify, type Instruction, type OpName, type Program, type ValueId } from '@meanflow/core/backend';
import { lostByRounding, roundoff, UNIT_ROUNDOFF, type Roundoff } from './roundoff.js';

/** A graph with its roundings as inputs. */
export interface RoundedGraph {
  /** Takes the original's inputs, and the sites as further ones. */
  readonly graph: Graph;
  /** Where it rounds: the input that holds ξ, by name and shape. */
  readonly sites: readonly { readonly name: string; readonly shape: Shape }[];
}

const SITE = 'rounding ';

/**
 * Makes the roundings of a graph explicit; of the graph after `simplify`, which is what backends lower: what depends on
 * constants only is computed in float64 and rounded once.
 */
export function roundedGraph(given: Graph): RoundedGraph {
  const original = simplify(given);
  const sites = sitesOf(original).map((shape, i) => ({ name: `${SITE}${i}`, shape }));
  const inputs = original.inputs.map(({ name, value }) => [name, original.types[value]!] as const);
  const specs = Object.fromEntries([
    ...inputs.map(([name, { dtype, shape }]) => [name, spec(shape, dtype)] as const),
    ...sites.map(({ name, shape }) => [name, spec(shape)] as const),
  ]);
  const { graph } = trace(
    (given: Readonly<Record<string, Tensor>>) => {
      const noise = sites.map(({ name }) => given[name]!);
      const outputs = emit(original, inputs.map(([name]) => given[name]!), noise); // prettier-ignore
      return Object.fromEntries(original.outputs.map(({ name }, i) => [name, outputs[i]!]));
    },
    specs,
    { name: `${original.name}, rounded` },
  );
  return { graph, sites };
}

/** Random signs for every site. */
export function drawRoundings(
  sites: RoundedGraph['sites'],
  key: RandomKey,
): Record<string, HostArray<'float32'>> {
  return Object.fromEntries(
    sites.map(({ name, shape }, i) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const signs = Float32Array.from(key.fold(i).bits(size), (word) => (word & 1 ? 1 : -1));
      return [name, new HostArray('float32', shape, signs)];
    }),
  );
}

/** Whether an instruction rounds. */
function rounds(instruction: Instruction, type: TensorType): boolean {
  if (instruction.op === 'composite' || type.dtype !== 'float32') return false;
  if (instruction.op === 'constant')
    return instruction.attributes.value.data.some((c) => lostByRounding(c) > 0);
  if (instruction.op === 'cast') return instruction.attributes.dtype === 'float32';
  return roundoff[instruction.op].bound !== undefined;
}

/** Shapes of what rounds, in the order in which `emit` meets it. */
function sitesOf({ instructions, types }: Program): Shape[] {
  return instructions.flatMap((instruction) => {
    if (instruction.op === 'composite') return sitesOf(instruction.attributes.body);
    const type = types[instruction.outputs[0]!]!;
    return rounds(instruction, type) ? [type.shape] : [];
  });
}

/** Emits a graph's instructions, each followed by its rounding; takes as much of `noise` as it needs. */
function emit(graph: Program, inputs: readonly Tensor[], noise: Tensor[]): Tensor[] {
  const values = new Array<Tensor>(graph.types.length);
  graph.inputs.forEach(({ value }, i) => (values[value] = inputs[i]!));
  for (const instruction of graph.instructions) {
    const operands = instruction.inputs.map((input) => values[input]!);
    if (instruction.op === 'composite') {
      const results = emit(instruction.attributes.body, operands, noise);
      instruction.outputs.forEach((output, i) => (values[output] = results[i]!));
      continue;
    }
    const [output] = leading(instruction.outputs, 1);
    const result = emitOne(graph, instruction, operands);
    values[output] = rounds(instruction, graph.types[output]!)
      ? add(result, mul(noise.shift()!, mul(UNIT_ROUNDOFF, boundOf(instruction, operands, result))))
      : result;
  }
  return graph.outputs.map(({ value }) => values[value]!);
}

/** One instruction, as a graph of its own applied to tensors. */
function emitOne(graph: Program, instruction: Instruction, operands: readonly Tensor[]): Tensor {
  const given: readonly ValueId[] = instruction.inputs;
  const named = [...new Set(given)].map((value) => ({ name: `${value}`, value }));
  const outputs = instruction.outputs.map((value) => ({ name: `${value}`, value }));
  const single = new Graph(instruction.op, graph.types, named, [instruction], outputs);
  return single.apply(named.map(({ value }) => operands[given.indexOf(value)]!))[0]!;
}

function boundOf(
  { op, attributes }: Exclude<Instruction, { op: 'composite' }>,
  inputs: readonly Tensor[],
  output: Tensor,
): Tensor {
  const rule = roundoff[op as Exclude<OpName, 'composite'>] as Roundoff<unknown>;
  return rule.bound!({ inputs, output, attributes });
}
