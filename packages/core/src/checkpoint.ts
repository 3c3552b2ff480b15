/**
 * checkpoint: computes `f` without keeping its intermediates for the backward pass, which recomputes them from the
 * arguments instead (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). The recomputation reads the
 * arguments through `optimizationBarrier`, so that it is neither merged with the first computation nor run before
 * its cotangent exists.
 */
import { checkOptions } from './check-options.js';
import { full, optimizationBarrier } from './functions.js';
import { transposeLinear } from './grad.js';
import { alias, pushforward } from './jvp.js';
import { callComposite } from './composite.js';
import type { Graph } from './graph.js';
import type { TreeOf } from './pytree.js';
import { rewritten } from './rewritten.js';
import { Tensor, type CompositeCall, type CompositeDefinition, type Program } from './tensor.js';
import { isFloat } from './types.js';

export interface CheckpointOptions {
  /**
   * Compute intermediates again for tangents of forward mode too. By default tangents share the value's, which are then kept
   * until the tangents come: as long as it takes to compute all values of a network. False by default.
   */
  readonly tangents?: boolean;
}

type BodyParameters = { readonly body: Graph; readonly options: Required<CheckpointOptions> };

/** What a call checkpoints, where it is one of `checkpoint`, and how. */
export function checkpointedBody({
  definition,
  parameters,
  body,
}: CompositeCall): { readonly body: Program; readonly options: CheckpointOptions } | undefined {
  if (definition !== (checkpointed as CompositeDefinition)) return undefined;
  return { body, options: (parameters as BodyParameters).options };
}

/** The value of the body; its tangent is the linear call below, not the body's own tangent program. */
const checkpointed: CompositeDefinition<BodyParameters> = {
  name: 'checkpoint',
  decompose: (inputs, { body }) => body.apply(inputs),
  jvp: ({ inputs, tangents, parameters: { body, options } }) => {
    const active = tangents.map((tangent) => tangent !== undefined);
    const given = tangents.filter((tangent) => tangent !== undefined);
    const moving = movingOutputs(body, active);
    if (!moving.includes(true)) return moving.map(() => undefined);
    const results = [...callComposite(checkpointTangent, [...inputs, ...given], { body, options, active })];
    return moving.map((moves) => (moves ? results.shift() : undefined));
  },
};

/** `(x…, dx…) → ∂body(x) · dx`, for the inputs that are active and the outputs that move with them; linear in dx. */
const checkpointTangent: CompositeDefinition<BodyParameters & { readonly active: readonly boolean[] }> = {
  name: 'checkpointTangent',
  decompose: (operands, { body, options, active }) => {
    const [inputs, tangents] = [operands.slice(0, active.length), operands.slice(active.length)];
    const primals = options.tangents
      ? inputs.map((input) => optimizationBarrier(input, tangents[0]!))
      : inputs;
    return linearise(body, active, primals, tangents);
  },
  transpose: ({ cotangents, inputs, parameters: { body, active } }) => {
    const after = cotangents.find((cotangent) => cotangent !== undefined)!;
    const arguments_ = inputs.slice(0, active.length).map((input) => optimizationBarrier(input, after));
    const placeholders = inputs
      .slice(active.length)
      .map((tangent) => Tensor.emit('input', [], { name: 'tangent' }, tangent));
    const found = transposeLinear(
      linearise(body, active, arguments_, placeholders),
      cotangents,
      placeholders,
    );
    return [...arguments_.map(() => undefined), ...found];
  },
};

/** Which outputs of a body can move with its active inputs: the tangents of the others are zero, and not made. */
function movingOutputs(body: Graph, active: readonly boolean[]): boolean[] {
  const moving = new Set(body.inputs.filter((_, i) => active[i]).map(({ value }) => value));
  for (const { op, inputs, outputs } of body.instructions) {
    if (op === 'stopGradient' || !inputs.some((input) => moving.has(input))) continue;
    for (const output of outputs) if (isFloat(body.types[output]!.dtype)) moving.add(output);
  }
  return body.outputs.map(({ value }) => moving.has(value));
}

function linearise(
  body: Graph,
  active: readonly boolean[],
  primals: readonly Tensor[],
  tangents: readonly Tensor[],
) {
  const inputs = primals.map(alias);
  const chosen = inputs.filter((_, i) => active[i]);
  const outputs = body.apply(inputs);
  const moving = movingOutputs(body, active);
  const wanted = outputs.filter((_, i) => moving[i]);
  const pushed = pushforward(wanted, new Map(chosen.map((input, i) => [input, tangents[i]!])));
  return pushed.map((tangent, i) => tangent ?? full(wanted[i]!.shape, 0, wanted[i]!.dtype));
}

/**
 * `f` with the same value and derivatives, whose intermediates are recomputed in the backward pass.
 *
 * @param f a pure function of trees of tensors; what it captures is kept
 * @param options.tangents whether forward mode recomputes them too
 */
export function checkpoint<
  Args extends readonly unknown[] & TreeOf<Args, Tensor>,
  Out extends TreeOf<Out, Tensor>,
>(f: (...args: Args) => Out, options: CheckpointOptions = {}): (...args: Args) => Out {
  checkOptions<CheckpointOptions>('checkpoint', options, { tangents: true });
  const { tangents = false } = options;
  return rewritten(f, 'checkpoint', (body, inputs) =>
    callComposite(checkpointed, inputs, { body, options: { tangents } }),
  );
}
