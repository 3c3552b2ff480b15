/**
 * simplify: the same values from fewer instructions. One forward walk re-emits a graph through rewrite rules,
 * constant folding and common-subexpression elimination; closing the result over its outputs drops what is dead. The
 * walk is repeated until nothing changes. The result can still be differentiated: `stopGradient` and composites stay.
 */
import { closeGraph, type Graph } from './graph.js';
import { HostArray } from './host-array.js';
import type { PrimitiveName } from './ops/attributes.js';
import type { CompositeCall } from './ops/composite.js';
import { allocate, type OpDefinition, type RefValue } from './ops/definition.js';
import { opTable } from './ops/table.js';
import { rewrite, type Emit } from './simplify-rules.js';
import { Tensor, type TraceNode } from './tensor.js';
import { formatShape, sizeOf } from './types.js';

/** Largest result that constant folding stores in the graph. */
const FOLD_LIMIT = 4096;
/** Largest constant whose elements are compared to find equal constants. */
const COMPARE_LIMIT = 64;
const MAX_PASSES = 8;

const COMMUTATIVE = new Set<string>(['add', 'mul', 'maximum', 'minimum', 'equal', 'and', 'or']);

/** What to do with an instruction before the rewrite rules see it. */
export interface SimplifyHooks {
  /** Composites for which this is true are replaced by their decomposition. */
  readonly inline?: (call: CompositeCall, inputs: readonly Tensor[]) => boolean;
  /** Replace `stopGradient` by its operand: only where no derivative will be taken any more. */
  readonly dropStopGradient?: boolean;
}

/** A graph that computes the same outputs with no dead, repeated or foldable instructions. */
export function simplify(graph: Graph, hooks: SimplifyHooks = {}): Graph {
  let current = graph;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const next = onePass(current, hooks);
    const settled =
      next.instructions.length === current.instructions.length && next.toString() === current.toString();
    current = next;
    if (settled) break;
  }
  return current;
}

function onePass(graph: Graph, hooks: SimplifyHooks): Graph {
  const emitter = new Emitter(hooks);
  const inputs = graph.inputs.map(({ name, value }) => ({
    name,
    tensor: Tensor.emit('input', [], { name }, [graph.types[value]])[0],
  }));
  const outputs = emitter.apply(
    graph,
    inputs.map(({ tensor }) => tensor),
  );
  return closeGraph(
    graph.name,
    inputs,
    graph.outputs.map(({ name }, i) => ({ name, tensor: outputs[i] })),
  );
}

/** Emits instructions through the rules, folding and the table of what exists already. */
class Emitter {
  private readonly existing = new Map<string, readonly Tensor[]>();
  private readonly identities = new WeakMap<object, number>();
  private identityCount = 0;

  constructor(private readonly hooks: SimplifyHooks) {}

  apply(graph: Graph, inputs: readonly Tensor[]): Tensor[] {
    const values = new Array<Tensor>(graph.types.length);
    graph.inputs.forEach(({ value }, i) => (values[value] = inputs[i]));
    for (const { op, attributes, inputs: operands, outputs } of graph.instructions) {
      const given = operands.map((operand) => values[operand]);
      const results =
        op === 'composite'
          ? this.composite(
              attributes,
              given,
              outputs.map((output) => graph.types[output]),
            )
          : [this.emit(op, given, attributes)];
      outputs.forEach((output, i) => (values[output] = results[i]));
    }
    return graph.outputs.map(({ value }) => values[value]);
  }

  private composite(
    call: CompositeCall,
    inputs: readonly Tensor[],
    types: readonly Tensor[] | readonly { dtype: Tensor['dtype']; shape: Tensor['shape'] }[],
  ): readonly Tensor[] {
    if (this.hooks.inline?.(call, inputs)) return this.apply(call.body, inputs);
    const key = `composite ${this.identity(call.definition)} ${parametersKey(call.parameters, (o) => this.identity(o))} ${inputs.map(valueKey).join(' ')}`;
    return this.reuse(key, () => Tensor.emit('composite', inputs, call, types));
  }

  readonly emit: Emit = (op, inputs, attributes) => {
    if (op === 'stopGradient' && this.hooks.dropStopGradient) return inputs[0];
    const rewritten = rewrite(op, inputs, attributes, this.emit);
    if (rewritten !== undefined) return rewritten;
    const { infer } = opTable[op] as OpDefinition<unknown>;
    const type = infer(inputs, attributes);
    const folded = this.fold(op, inputs, attributes, type);
    if (folded !== undefined) return folded;
    const build = () => Tensor.emit(op, inputs, attributes as never, [type]);
    // A barrier exists to keep two equal computations apart.
    if (op === 'optimizationBarrier') return build()[0];
    return this.reuse(this.key(op, inputs, attributes), build)[0];
  };

  private reuse(key: string, build: () => readonly Tensor[]): readonly Tensor[] {
    const known = this.existing.get(key);
    if (known !== undefined) return known;
    const built = build();
    this.existing.set(key, built);
    return built;
  }

  private fold(
    op: PrimitiveName,
    inputs: readonly Tensor[],
    attributes: unknown,
    type: { readonly dtype: Tensor['dtype']; readonly shape: Tensor['shape'] },
  ): Tensor | undefined {
    if (inputs.length === 0 || sizeOf(type.shape) > FOLD_LIMIT) return undefined;
    // A repeated scalar is cheaper to keep than to store; the rules make use of it.
    if (op === 'broadcastTo' || op === 'stopGradient') return undefined;
    const values = inputs.map(constantValue);
    if (!values.every((value) => value !== undefined)) return undefined;
    const { evaluate } = opTable[op] as OpDefinition<unknown>;
    const data = evaluate(values, attributes, type);
    const value = new HostArray(
      type.dtype === 'float32' ? 'float64' : type.dtype,
      type.shape,
      data.slice() as never,
    );
    return this.emit('constant', [], { dtype: type.dtype, value });
  }

  private key(op: PrimitiveName, inputs: readonly Tensor[], attributes: unknown): string {
    const operands = inputs.map(valueKey);
    if (COMMUTATIVE.has(op)) operands.sort();
    return `${op} ${operands.join(' ')} ${op === 'constant' ? this.constantKey(attributes as never) : JSON.stringify(attributes)}`;
  }

  private constantKey({ dtype, value }: { dtype: string; value: HostArray }): string {
    const elements =
      value.size <= COMPARE_LIMIT ? Array.from(value.data, numberKey).join(',') : `@${this.identity(value)}`;
    return `${dtype} ${value.dtype} ${formatShape(value.shape)} ${elements}`;
  }

  /** A number that stands for an object, for keys of things that are equal only when identical. */
  private identity(object: object): number {
    let found = this.identities.get(object);
    if (found === undefined) this.identities.set(object, (found = this.identityCount++));
    return found;
  }
}

/** Separates −0 from 0, which `String` does not. */
const numberKey = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

const valueKey = (tensor: Tensor): string => `${tensor.node.id}.${tensor.index}`;

function parametersKey(
  parameters: Readonly<Record<string, unknown>>,
  identity: (object: object) => number,
): string {
  return JSON.stringify(parameters, (_, value: unknown) => {
    const isPlain =
      typeof value !== 'object' || value === null || Array.isArray(value) || value === parameters;
    return isPlain ? value : `object ${identity(value)}`;
  });
}

/** A tensor's value when it is a small constant. */
function constantValue(tensor: Tensor): RefValue | undefined {
  const node: TraceNode = tensor.node;
  if (node.op !== 'constant' || node.attributes.value.size > FOLD_LIMIT) return undefined;
  const data = allocate(tensor.dtype, node.attributes.value.size);
  data.set(node.attributes.value.data);
  return { dtype: tensor.dtype, shape: tensor.shape, data };
}
