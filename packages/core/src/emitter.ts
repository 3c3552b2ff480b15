/**
 * Emitter: adds instructions to a program being rebuilt, each through the rewrite rules, constant folding and a table
 * of what exists already (common-subexpression elimination). It is the walk that `simplify` repeats.
 */
import { ArrayIdentities } from './array-identities.js';
import { roundToHalf } from './half.js';
import { HostArray } from './host-array.js';
import type { PrimitiveName } from './ops/attributes.js';
import { allocate, type RefValue } from './ops/definition.js';
import { evaluate, meaningOf } from './ops/table.js';
import { sharedRows, sharedRowsOfComposite, type Existing } from './passes/shared-rows.js';
import { FOLD_LIMIT, type Emit, type RuleContext } from './simplify-rule.js';
import { rewrite } from './simplify-rules.js';
import { Tensor, type CompositeCall, type Program, type TraceNode } from './tensor.js';
import { formatShape, isFloat, sizeOf, type TensorType } from './types.js';

/** Largest constant whose elements are written out to find equal ones. */
const WRITTEN_LIMIT = 64;

/** Thrown while it is only looked whether an instruction exists. */
const MISSING = new Error('Internal: there is no such instruction.');

const COMMUTATIVE = new Set<string>(['add', 'mul', 'maximum', 'minimum', 'equal', 'and', 'or']);

/** What to do with an instruction before the rewrite rules see it. */
export interface SimplifyHooks {
  /** Composites for which this is true are replaced by their decomposition. */
  readonly inline?: (call: CompositeCall, inputs: readonly Tensor[]) => boolean;
  /** Replace `stopGradient` by its operand: only where no derivative will be taken any more. */
  readonly dropStopGradient?: boolean;
  /** What is computed of some rows, where the same is computed of all, becomes those rows of the whole. */
  readonly shareRows?: boolean;
}

/** How often each value is an operand or an output. */
function countUses(graph: Program): Uint32Array {
  const uses = new Uint32Array(graph.types.length);
  for (const { inputs } of graph.instructions) for (const input of inputs) uses[input]!++;
  for (const { value } of graph.outputs) uses[value]!++;
  return uses;
}

/** Attributes are immutable and outlive the passes, so their text is made once. */
const attributeTexts = new WeakMap<object, string>();

function attributeText(attributes: object): string {
  let text = attributeTexts.get(attributes);
  if (text === undefined) attributeTexts.set(attributes, (text = JSON.stringify(attributes)));
  return text;
}

/** Emits instructions through the rules, folding and the table of what exists already. */
export class Emitter {
  private readonly existing = new Map<string, readonly Tensor[]>();
  private readonly identities = new WeakMap<object, number>();
  private readonly arrays = new ArrayIdentities();
  private readonly seen = new Set<Tensor>();
  private readonly single = new Set<Tensor>();
  private identityCount = 0;
  private count = 0;
  private probing = false;
  private readonly context: RuleContext;
  /** Whether anything but the copying of instructions has happened. */
  changed = false;
  /** Called with each value that was asked for again. */
  onReuse: (known: Tensor) => void = () => {};

  constructor(private readonly hooks: SimplifyHooks) {
    this.context = { emit: this.emit, usedOnce: (tensor) => this.single.has(tensor) };
  }

  /** Emits a graph's program, giving way after each few instructions; returns its outputs. */
  *apply(graph: Program, inputs: readonly Tensor[]): Generator<void, Tensor[]> {
    const uses = countUses(graph);
    const values = new Array<Tensor>(graph.types.length);
    graph.inputs.forEach(({ value }, i) => (values[value] = inputs[i]!));
    for (const { op, attributes, inputs: operands, outputs } of graph.instructions) {
      const given = operands.map((operand) => values[operand]!);
      if (++this.count % 256 === 0) yield;
      const results =
        op === 'composite'
          ? yield* this.composite(
              attributes,
              given,
              outputs.map((output) => graph.types[output]!),
            )
          : [this.emit(op, given, attributes)];
      outputs.forEach((output, i) => this.note((values[output] = results[i]!), uses[output]!));
    }
    return graph.outputs.map(({ value }) => values[value]!);
  }

  /** The first result of every instruction so far. */
  emitted(): Tensor[] {
    return [...this.existing.values()].flatMap(([first]) => first ?? []);
  }

  private note(result: Tensor, uses: number): void {
    // What two instructions came to is needed by the users of both.
    if (uses === 1 && !this.seen.has(result)) this.single.add(result);
    else this.single.delete(result);
    this.seen.add(result);
  }

  private *composite(
    call: CompositeCall,
    inputs: readonly Tensor[],
    types: readonly TensorType[],
  ): Generator<void, readonly Tensor[]> {
    if (this.hooks.inline?.(call, inputs)) {
      this.changed = true;
      return yield* this.apply(call.body, inputs);
    }
    const rows = this.hooks.shareRows && sharedRowsOfComposite(call, inputs, this.table);
    if (rows) return this.replaced(rows);
    return this.reuse(this.compositeKey(call, inputs), () =>
      Tensor.emitAll('composite', inputs, call, types),
    );
  }

  /** What `make` gives where that needs no new instruction. */
  private probe(make: () => Tensor): Tensor | undefined {
    const { changed, probing, onReuse } = this;
    [this.probing, this.onReuse] = [true, () => {}];
    try {
      return make();
    } catch (error) {
      if (error === MISSING) return undefined;
      throw error;
    } finally {
      Object.assign(this, { changed, probing, onReuse });
    }
  }

  private compositeKey(call: CompositeCall, inputs: readonly Tensor[]): string {
    const parameters = parametersKey(call.parameters, (object) => this.identity(object));
    return `composite ${this.identity(call.definition)} ${parameters} ${inputs.map(valueKey).join(' ')}`;
  }

  /** What exists, for those who look for an instruction before it is added. */
  private readonly table: Existing = {
    find: (op, inputs, attributes) => this.probe(() => this.emit(op, inputs, attributes as never)),
    findComposite: (call, inputs) => this.existing.get(this.compositeKey(call, inputs)),
    slice: (whole, { axis, from, to }) => {
      const starts = whole.shape.map((_, at) => (at === axis ? from : 0));
      const limits = whole.shape.map((n, at) => (at === axis ? to : n));
      return this.emit('slice', [whole], { starts, limits, strides: starts.map(() => 1) });
    },
  };

  readonly emit: Emit = (op, inputs, attributes) => {
    if (op === 'stopGradient' && this.hooks.dropStopGradient) return this.replaced(inputs[0]!);
    const rewritten = rewrite(op, inputs, attributes, this.context);
    if (rewritten !== undefined) return this.replaced(rewritten);
    const type = meaningOf(op).infer(inputs, attributes);
    const folded = this.fold(op, inputs, attributes, type);
    if (folded !== undefined) return this.replaced(folded);
    const rows = this.hooks.shareRows && sharedRows(op, inputs, attributes, type.shape, this.table);
    if (rows) return this.replaced(rows);
    const build = () => Tensor.emit(op, inputs, attributes, type);
    // A barrier exists to keep two equal computations apart.
    if (op === 'optimizationBarrier' && !this.probing) return build();
    return this.reuse(this.key(op, inputs, attributes), () => [build()])[0]!;
  };

  private replaced<T extends Tensor | readonly Tensor[]>(made: T): T {
    this.changed = true;
    return made;
  }

  private reuse(key: string, build: () => readonly Tensor[]): readonly Tensor[] {
    const known = this.existing.get(key);
    if (known !== undefined) {
      this.onReuse(this.replaced(known[0]!));
      return known;
    }
    if (this.probing) throw MISSING;
    const built = build();
    this.existing.set(key, built);
    return built;
  }

  private fold(
    op: PrimitiveName,
    inputs: readonly Tensor[],
    attributes: unknown,
    type: TensorType,
  ): Tensor | undefined {
    if (inputs.length === 0 || sizeOf(type.shape) > FOLD_LIMIT) return undefined;
    // A repeated scalar is cheaper to keep than to store; the rules make use of it.
    if (op === 'broadcastTo' || op === 'stopGradient') return undefined;
    const values = inputs.map(constantValue);
    if (!values.every((value) => value !== undefined)) return undefined;
    const data = evaluate(op, values, attributes, type);
    const value = new HostArray(
      isFloat(type.dtype) ? 'float64' : type.dtype,
      type.shape,
      data.slice() as never,
    );
    return this.emit('constant', [], { dtype: type.dtype, value });
  }

  private key(op: PrimitiveName, inputs: readonly Tensor[], attributes: object): string {
    const operands = inputs.map(valueKey);
    if (COMMUTATIVE.has(op)) operands.sort();
    return `${op} ${operands.join(' ')} ${op === 'constant' ? this.constantKey(attributes as never) : attributeText(attributes)}`;
  }

  private constantKey({ dtype, value }: { dtype: string; value: HostArray }): string {
    const elements =
      value.size <= WRITTEN_LIMIT ? Array.from(value.data, numberKey).join(',') : `@${this.arrays.of(value)}`;
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

/** Equal only for parameters that mean the same: JSON alone confuses NaN with null and leaves functions out. */
function parametersKey(
  parameters: Readonly<Record<string, unknown>>,
  identity: (object: object) => number,
): string {
  return JSON.stringify(parameters, (_, value: unknown) => {
    if (value === parameters || Array.isArray(value)) return value;
    if (typeof value === 'number') return `number ${numberKey(value)}`;
    if (typeof value === 'function' || (typeof value === 'object' && value !== null))
      return `object ${identity(value)}`;
    return `${typeof value} ${String(value)}`;
  });
}

/** A tensor's value when it is a small constant. */
function constantValue(tensor: Tensor): RefValue | undefined {
  const node: TraceNode = tensor.node;
  if (node.op !== 'constant' || node.attributes.value.size > FOLD_LIMIT) return undefined;
  const data = allocate(tensor.dtype, node.attributes.value.size);
  const { value } = node.attributes;
  data.set(tensor.dtype === 'float16' ? value.data.map(roundToHalf) : value.data);
  return { dtype: tensor.dtype, shape: tensor.shape, data };
}
