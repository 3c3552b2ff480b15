/**
 * Composites: named calls that carry their decomposition into primitives. A backend with a native kernel takes one
 * whole; every other inlines the body. A definition may give a derivative that is shorter than the body's own, and
 * (for calls that are linear in some operands) a transpose. A decomposition is traced once for operands of the same types, and
 * serves every block of a network.
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
import { formatType } from './types.js';

/** Calls a composite: traces its body for these operands and adds one instruction. */
export function callComposite<
  P extends CompositeParameters,
  Inputs extends readonly Tensor[],
  Outputs extends readonly Tensor[],
>(definition: CompositeDefinition<P, Inputs, Outputs>, inputs: Inputs, parameters: P): Outputs {
  const { body, captures } = inContext(definition.name, inputs, () =>
    decomposition(definition, inputs, parameters),
  );
  const types = body.outputs.map(({ value }) => body.types[value]!);
  // The caller's object may change afterwards.
  const call: CompositeCall = { definition, parameters: { ...parameters }, body };
  const results: readonly Tensor[] = Tensor.emitAll('composite', [...inputs, ...captures], call, types);
  return results as Outputs;
}

/** Decompositions that capture nothing, by definition, and then by what they are of. */
const decompositions = new WeakMap<object, Map<string, Graph>>();
/** Of one definition: more than a program has, but not all that a process ever comes by. */
const MOST_DECOMPOSITIONS = 256;

function decomposition<
  P extends CompositeParameters,
  Inputs extends readonly Tensor[],
  Outputs extends readonly Tensor[],
>(definition: CompositeDefinition<P, Inputs, Outputs>, inputs: Inputs, parameters: P): ClosedFunction {
  const key = decompositionKey(inputs, parameters);
  const known = decompositions.get(definition) ?? new Map<string, Graph>();
  const body = key === undefined ? undefined : known.get(key);
  if (body !== undefined) return { body, captures: [] };
  const closed = closeOver(definition.name, inputs, (operands) => definition.decompose(operands, parameters));
  if (key !== undefined && closed.captures.length === 0) {
    if (known.size >= MOST_DECOMPOSITIONS) known.clear();
    decompositions.set(definition, known.set(key, closed.body));
  }
  return closed;
}

/** What a decomposition follows from; undefined where parameters are more than numbers, texts and lists of them. */
function decompositionKey(inputs: readonly Tensor[], parameters: CompositeParameters): string | undefined {
  if (!inputs.every((input) => input instanceof Tensor)) return undefined;
  let isPlain = true;
  const text = JSON.stringify(parameters, (_, value: unknown) => {
    if (value === parameters || Array.isArray(value)) return value;
    // JSON alone confuses NaN with null, and −0 with 0.
    if (typeof value === 'number') return Object.is(value, -0) ? 'number -0' : `number ${value}`;
    if (typeof value === 'string' || typeof value === 'boolean') return `${typeof value} ${value}`;
    if (value !== undefined && value !== null) isPlain = false;
    return value === null ? null : undefined;
  });
  return isPlain ? `${inputs.map(formatType).join(' ')} ${text}` : undefined;
}

/** A function that was traced by itself. */
export interface ClosedFunction {
  readonly body: Graph;
  /** What it takes from outside, as further inputs. */
  readonly captures: readonly Tensor[];
}

/**
 * Traces `f` at fresh inputs of the operands' types. Tensors that `f` captures from outside become further inputs.
 */
export function closeOver<Inputs extends readonly Tensor[]>(
  name: string,
  operands: Inputs,
  f: (inputs: Inputs) => readonly Tensor[],
): ClosedFunction {
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
