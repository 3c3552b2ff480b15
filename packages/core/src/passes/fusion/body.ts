/** The call that stands for a cluster: its members once more, in the form that `fusedForm` describes. */
import { fusedDefinition } from '../../composites/fused.js';
import { closeGraph, type Graph } from '../../graph.js';
import { meaningOf } from '../../ops/table.js';
import type { PrimitiveAttributes, PrimitiveName } from '../../ops/attributes.js';
import { Tensor, type Instruction, type ValueId } from '../../tensor.js';
import { sameShape, type Shape } from '../../types.js';
import type { Cluster, Clustering } from './cluster.js';
import { placedShape } from './space.js';

/** @returns one instruction that computes the results of the cluster's members from what they read */
export function fusedCall(
  graph: Graph,
  clustering: Clustering,
  cluster: Cluster,
): Instruction & { op: 'composite' } {
  const { types, instructions } = graph;
  const { space } = cluster;
  const rank = space.sizes.length;
  const values = new Map<ValueId, Tensor>();
  const reads = clustering.readsOf(cluster)!;
  const inputs = reads.map(({ value }, i) => ({
    name: `${i}`,
    tensor: Tensor.emit('input', [], { name: `${i}` }, types[value]!),
  }));
  const operands = new Map(
    reads.map(({ value, axes }, i) => [
      `${value} ${axes.join()}`,
      placed(inputs[i]!.tensor, placedShape(space, axes)),
    ]),
  );
  const read = (value: ValueId, axes: readonly number[]): Tensor => {
    const inside = values.get(value);
    if (inside !== undefined) return inside;
    const constant = clustering.scalarConstant(value);
    if (constant === undefined) return operands.get(`${clustering.sourceOf(value)} ${axes.join()}`)!;
    const made = emit('constant', [], constant);
    values.set(value, made);
    return made;
  };
  for (const i of cluster.members) {
    const instruction = instructions[i]!;
    const placement = clustering.placementIn(space, i)!;
    const given = instruction.inputs.map((input, k) => read(input, placement.operands[k]!));
    values.set(
      instruction.outputs[0]!,
      member(instruction, given, placedShape(space, placement.result), rank, space.reduced),
    );
  }
  const results = clustering.resultsOf(cluster);
  const outputs = results.map((value, i) => ({
    name: `${i}`,
    tensor: reshaped(values.get(value)!, types[value]!.shape),
  }));
  const body = closeGraph('fused', inputs, outputs);
  return {
    op: 'composite',
    attributes: { definition: fusedDefinition, parameters: { body }, body },
    inputs: reads.map(({ value }) => value),
    outputs: results,
  };
}

function member(
  { op, attributes }: Instruction,
  operands: readonly Tensor[],
  shape: Shape,
  rank: number,
  reduced: number,
): Tensor {
  if (op === 'reshape') return operands[0]!;
  if (op === 'broadcastTo') return emit('broadcastTo', operands, { shape });
  if (op === 'reduceSum' || op === 'reduceMax') {
    const axes = Array.from({ length: reduced }, (_, i) => rank - reduced + i);
    return reshaped(emit(op, operands, { axes }), shape);
  }
  if (op === 'composite') throw new Error('Internal: a composite is no member of a cluster.');
  return emit(op, operands, attributes);
}

function emit<K extends PrimitiveName>(
  op: K,
  inputs: readonly Tensor[],
  attributes: PrimitiveAttributes[K],
): Tensor {
  return Tensor.emit(op, inputs, attributes, meaningOf(op).infer(inputs, attributes));
}

const reshaped = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : emit('reshape', [x], { shape });

/** As it is where broadcasting brings it to that place by itself. */
function placed(x: Tensor, shape: Shape): Tensor {
  const padded = [...Array.from({ length: shape.length - x.rank }, () => 1), ...x.shape];
  return sameShape(padded, shape) ? x : reshaped(x, shape);
}
