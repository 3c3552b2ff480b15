/**
 * Composites: named calls that carry their decomposition into primitives. A backend with a native kernel takes one
 * whole; every other inlines the body. A definition may give a derivative that is shorter than the body's own, and
 * (for calls that are linear in some operands) a transpose.
 */
import { inContext } from './apply.js';
import { closeGraph, collectNodes, type Graph } from './graph.js';
import {
  nextId,
  Tensor,
  type CompositeCall,
  type CompositeDefinition,
  type CompositeParameters,
} from './tensor.js';

/** Calls a composite: traces its body for these operands and adds one instruction. */
export function callComposite<
  P extends CompositeParameters,
  Inputs extends readonly Tensor[],
  Outputs extends readonly Tensor[],
>(definition: CompositeDefinition<P, Inputs, Outputs>, inputs: Inputs, parameters: P): Outputs {
  const { body, captures } = inContext(definition.name, inputs, () =>
    closeOver(definition.name, inputs, (operands) => definition.decompose(operands, parameters)),
  );
  const types = body.outputs.map(({ value }) => body.types[value]!);
  // The caller's object may change afterwards.
  const call: CompositeCall = { definition, parameters: { ...parameters }, body };
  const results: readonly Tensor[] = Tensor.emitAll('composite', [...inputs, ...captures], call, types);
  return results as Outputs;
}

/**
 * Traces `f` at fresh inputs of the operands' types. Tensors that `f` captures from outside become further inputs.
 */
export function closeOver<Inputs extends readonly Tensor[]>(
  name: string,
  operands: Inputs,
  f: (inputs: Inputs) => readonly Tensor[],
): { readonly body: Graph; readonly captures: readonly Tensor[] } {
  // Node ids grow, so whatever has a smaller one existed before, outside.
  const first = nextId();
  const inputs = operands.map((operand, i) => Tensor.emit('input', [], { name: `${i}` }, operand));
  const outputs = f(inputs as readonly Tensor[] as Inputs);
  const captured = new Set<Tensor>();
  const note = (tensor: Tensor): void => {
    if (tensor.node.id < first) captured.add(tensor);
  };
  const inside = collectNodes(outputs, new Set(), (node) => node.id >= first);
  inside.forEach((node) => node.inputs.forEach(note));
  outputs.forEach(note);
  const captures = [...captured];
  const body = closeGraph(
    name,
    [...inputs, ...captures].map((tensor, i) => ({ name: `${i}`, tensor })),
    outputs.map((tensor, i) => ({ name: `${i}`, tensor })),
  );
  return { body, captures };
}
