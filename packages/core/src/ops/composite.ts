/**
 * Composites: named calls that carry their decomposition into primitives. A backend with a native kernel takes one
 * whole; every other inlines the body. A definition may give a derivative that is shorter than the body's own, and
 * (for calls that are linear in some operands) a transpose.
 */
import { inContext } from '../apply.js';
import { closeGraph, collectNodes, type Graph } from '../graph.js';
import { nextId, Tensor } from '../tensor.js';
import type { Tangent } from './definition.js';

/** Static parameters of a composite: plain data, part of its identity. */
export type CompositeParameters = Readonly<Record<string, unknown>>;

export interface CompositeDefinition<P extends CompositeParameters = CompositeParameters> {
  /** For reading and for printing. It may be another's too: a definition is known by its identity. */
  readonly name: string;
  /** The meaning, in primitives and other composites. */
  decompose(inputs: readonly Tensor[], parameters: P): readonly Tensor[];
  /** Tangents of the outputs; by default, those of the decomposition. */
  jvp?(context: {
    readonly inputs: readonly Tensor[];
    readonly outputs: readonly Tensor[];
    readonly tangents: readonly Tangent[];
    readonly parameters: P;
  }): readonly Tangent[];
  /** Cotangents of the linear operands; by default, those of the decomposition. */
  transpose?(context: {
    readonly cotangents: readonly Tangent[];
    readonly inputs: readonly Tensor[];
    readonly linear: readonly boolean[];
    readonly parameters: P;
  }): readonly Tangent[];
}

/** The attributes of a composite instruction. */
export interface CompositeCall {
  readonly definition: CompositeDefinition;
  readonly parameters: CompositeParameters;
  /** The decomposition, from the call's operands to its results. */
  readonly body: Graph;
}

/** Calls a composite: traces its body for these operands and adds one instruction. */
export function callComposite<P extends CompositeParameters>(
  definition: CompositeDefinition<P>,
  inputs: readonly Tensor[],
  parameters: P,
): readonly Tensor[] {
  const { body, captures } = inContext(definition.name, inputs, () =>
    closeOver(definition.name, inputs, (operands) => definition.decompose(operands, parameters)),
  );
  const call: CompositeCall = {
    definition: definition as unknown as CompositeDefinition,
    // The caller's object may change afterwards.
    parameters: { ...parameters },
    body,
  };
  return Tensor.emit(
    'composite',
    [...inputs, ...captures],
    call,
    body.outputs.map(({ value }) => body.types[value]),
  );
}

/**
 * Traces `f` at fresh inputs of the operands' types. Tensors that `f` captures from outside become further inputs.
 */
export function closeOver(
  name: string,
  operands: readonly Tensor[],
  f: (inputs: readonly Tensor[]) => readonly Tensor[],
): { readonly body: Graph; readonly captures: readonly Tensor[] } {
  // Node ids grow, so whatever has a smaller one existed before, outside.
  const first = nextId();
  const inputs = operands.map((operand, i) => Tensor.emit('input', [], { name: `${i}` }, [operand])[0]);
  const outputs = f(inputs);
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
