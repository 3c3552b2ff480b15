/**
 * Reverse mode by linearisation and transposition: `pushforward` writes the linear map from input tangents to output
 * tangents, and walking that map backwards by the ops' transpose rules gives the gradient. The map itself is never
 * run: only its transpose stays in the graph (Radul et al., "You Only Linearize Once", POPL 2023).
 */
import { checkOptions } from './check-options.js';
import { ruleOf } from './derivatives/table.js';
import { ArgumentError, DTypeError, PytreeError, ShapeError } from './errors.js';
import { add, constant } from './functions.js';
import { drain, type Steps } from './giving-way.js';
import { applyProgram, collectNodes } from './graph.js';
import {
  alias,
  checkArguments,
  checkFunction,
  checkPair,
  checkTensorLeaf,
  NODES_PER_STEP,
  pushingForward,
  zerosLike,
} from './jvp.js';
import { treeFlatten, treeZip, type Tree, type TreeOf, type TreeStructure } from './pytree.js';
import { Tensor, type Tangent, type TraceNode } from './tensor.js';
import { formatType, isFloat, sameShape } from './types.js';

/** A tensor that stands for the tangent of another while a linear map is being written. */
function tangentPlaceholder(of: Tensor): Tensor {
  return Tensor.emit('input', [], { name: 'tangent' }, of);
}

/** Cotangents of `wrt`, given those of `outputs` (`undefined` is zero). */
export function pullback(
  outputs: readonly Tensor[],
  cotangents: readonly Tangent[],
  wrt: readonly Tensor[],
): Tangent[] {
  return drain(pullingBack(outputs, cotangents, wrt));
}

/** {@link pullback} in steps. */
function* pullingBack(
  outputs: readonly Tensor[],
  cotangents: readonly Tangent[],
  wrt: readonly Tensor[],
): Steps<Tangent[]> {
  const placeholders = wrt.map(tangentPlaceholder);
  const seeds = new Map(wrt.map((tensor, i) => [tensor, placeholders[i]!]));
  const tangents = yield* pushingForward(outputs, seeds);
  yield;
  return yield* transposing(tangents, cotangents, placeholders);
}

/**
 * Transposes the linear map from `placeholders` to `outputs`, applied to `cotangents`.
 *
 * @internal
 */
export function transposeLinear(
  outputs: readonly Tangent[],
  cotangents: readonly Tangent[],
  placeholders: readonly Tensor[],
): Tangent[] {
  return drain(transposing(outputs, cotangents, placeholders));
}

function* transposing(
  outputs: readonly Tangent[],
  cotangents: readonly Tangent[],
  placeholders: readonly Tensor[],
): Steps<Tangent[]> {
  const linear = new Set<Tensor>(placeholders);
  const first = Math.min(...placeholders.map(({ node }) => node.id));
  const roots = outputs.filter((output) => output !== undefined);
  const boundary = new Set<TraceNode>(placeholders.map(({ node }) => node));
  const nodes = collectNodes(roots, boundary, ({ id }) => id > first).filter((node) => {
    const isLinear = node.inputs.some((input) => linear.has(input));
    if (isLinear) node.outputs.forEach((output) => linear.add(output));
    return isLinear;
  });
  const accumulated = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, cotangent: Tangent): void => {
    if (cotangent === undefined) return;
    const sum = accumulated.get(tensor);
    accumulated.set(tensor, sum === undefined ? cotangent : add(sum, cotangent));
  };
  outputs.forEach((output, i) => output && accumulate(output, cotangents[i]));
  for (const [count, node] of nodes.reverse().entries()) {
    if ((count + 1) % NODES_PER_STEP === 0) yield;
    const incoming = node.outputs.map((output) => accumulated.get(output));
    if (incoming.every((cotangent) => cotangent === undefined)) continue;
    const isLinear = node.inputs.map((input) => linear.has(input));
    transposeNode(node, incoming, isLinear).forEach((cotangent, i) => {
      if (isLinear[i]) accumulate(node.inputs[i]!, cotangent);
    });
  }
  return placeholders.map((placeholder) => accumulated.get(placeholder));
}

function transposeNode(
  node: TraceNode,
  cotangents: readonly Tangent[],
  linear: readonly boolean[],
): readonly Tangent[] {
  if (node.op === 'alias') return cotangents;
  if (node.op === 'input') return [];
  if (node.op !== 'composite') {
    const rule = ruleOf(node.op);
    if (rule.transpose === undefined)
      throw new Error(`Internal: a derivative used the non-linear op "${node.op}".`);
    const { inputs, attributes } = node;
    const [cotangent] = cotangents;
    return rule.transpose({ cotangent: cotangent!, inputs, linear, attributes });
  }
  const { definition, parameters, body } = node.attributes;
  if (definition.transpose !== undefined) {
    return definition.transpose({ cotangents, inputs: node.inputs, linear, parameters });
  }
  const inputs = node.inputs.map((input, i) => (linear[i] ? tangentPlaceholder(input) : input));
  const found = transposeLinear(
    applyProgram(body, inputs),
    cotangents,
    inputs.filter((_, i) => linear[i]),
  );
  return linear.map((isLinear) => (isLinear ? found.shift() : undefined));
}

/** What `grad` and `valueAndGrad` differentiate, and what they return beside it. */
export interface GradOptions {
  /** `f` returns `[value, aux]`; `aux` is passed through and not differentiated. */
  readonly hasAux?: boolean;
}

/**
 * The value of a scalar function and its gradient in the first argument.
 *
 * @param f returns a float32 scalar (with `hasAux`, `[scalar, aux]`)
 * @returns a function of the same arguments, returning `[value, gradient]` (with `hasAux`, `[[value, aux], gradient]`);
 *   the gradient has the structure and types of the first argument
 * @throws {ArgumentError} when `f` is no function, or its first argument is not given
 * @throws {PytreeError} when a leaf of the first argument is not float32
 * @throws {ShapeError} when `f` does not return a scalar
 */
export function valueAndGrad<P extends TreeOf<P, Tensor>, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor,
): (params: P, ...rest: Rest) => [value: Tensor, gradient: P];
export function valueAndGrad<P extends TreeOf<P, Tensor>, Rest extends readonly unknown[], Aux>(
  f: (params: P, ...rest: Rest) => readonly [Tensor, Aux],
  options: { readonly hasAux: true },
): (params: P, ...rest: Rest) => [value: [Tensor, Aux], gradient: P];
export function valueAndGrad<P extends TreeOf<P, Tensor>, Rest extends readonly unknown[], Aux>(
  f: (params: P, ...rest: Rest) => Tensor | readonly [Tensor, Aux],
  options: GradOptions = {},
): (params: P, ...rest: Rest) => [Tensor | [Tensor, Aux], P] {
  checkOptions<GradOptions>('valueAndGrad', options, { hasAux: true });
  checkFunction('valueAndGrad', f);
  return (params, ...rest) => {
    const variables = variablesOf(params);
    const result = f(variables.given, ...rest);
    if (options.hasAux) checkPair('grad', result);
    const [value, aux] = options.hasAux ? (result as readonly [Tensor, Aux]) : [result as Tensor, undefined];
    const gradient = drain(gradientOf(value, variables));
    return [options.hasAux ? [value, aux as Aux] : value, gradient];
  };
}

/**
 * {@link valueAndGrad} with `hasAux` in steps, for `traceGivingWay`: it can give way after the function, and every few nodes of its
 * derivative.
 *
 * @param f returns a float32 scalar, and what is passed through
 * @param params what the gradient is of
 * @throws as `valueAndGrad`
 */
export function* valueAndGradInSteps<P extends TreeOf<P, Tensor>, Aux>(
  f: (params: P) => readonly [Tensor, Aux],
  params: P,
): Steps<[value: [Tensor, Aux], gradient: P]> {
  checkFunction('valueAndGrad', f);
  const variables = variablesOf(params);
  const result = f(variables.given);
  checkPair('grad', result);
  const [value, aux] = result;
  yield;
  return [[value, aux], yield* gradientOf(value, variables)];
}

/** What a gradient is taken of. */
interface Variables<P> {
  readonly leaves: readonly Tensor[];
  readonly structure: TreeStructure;
  /** The leaves under names of their own. */
  readonly inputs: readonly Tensor[];
  /** The tree of these. */
  readonly given: P;
}

function variablesOf<P>(params: P): Variables<P> {
  if (params === undefined) {
    throw new ArgumentError('grad: its first argument is not given, of which the gradient would be.');
  }
  const { leaves, structure } = treeFlatten(params as Tree<Tensor>);
  leaves.forEach((leaf, i) => {
    if (!(leaf instanceof Tensor) || !isFloat(leaf.dtype)) {
      const found = leaf instanceof Tensor ? formatType(leaf) : String(leaf);
      throw new PytreeError(
        `grad: leaf "${structure.paths[i]}" is ${found}; only float32 and float16 tensors have a gradient.`,
      );
    }
  });
  const inputs = leaves.map(alias);
  return { leaves, structure, inputs, given: structure.unflatten<Tensor, P>(inputs) };
}

function* gradientOf<P>(value: Tensor, { leaves, structure, inputs }: Variables<P>): Steps<P> {
  checkScalar(value);
  const cotangents = yield* pullingBack([value], [constant(1)], inputs);
  const gradient = cotangents.map((cotangent, i) => cotangent ?? zerosLike(leaves[i]!));
  return structure.unflatten<Tensor, P>(gradient);
}

/** The gradient of a scalar function in its first argument; see {@link valueAndGrad}. */
export function grad<P extends TreeOf<P, Tensor>, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor,
): (params: P, ...rest: Rest) => P {
  checkFunction('grad', f);
  const both = valueAndGrad(f);
  return (params, ...rest) => both(params, ...rest)[1];
}

function checkScalar(value: unknown): void {
  if (!(value instanceof Tensor))
    throw new ShapeError(`grad: the function returned ${String(value)}, not a scalar tensor.`);
  if (value.dtype !== 'float32')
    throw new DTypeError(`grad: the function returned ${formatType(value)}, not float32.`);
  if (value.rank !== 0) {
    throw new ShapeError(
      `grad: the function returned ${formatType(value)}, not a scalar; reduce it with sum() or mean().`,
    );
  }
}

/**
 * The value of `f` and the function that pulls cotangents of its result back to its arguments (a vector–Jacobian
 * product).
 *
 * @returns `[f(primals), pull]`, where `pull(cotangents)` returns one tree of cotangents per argument
 * @throws {ArgumentError} when `f` is no function, or primals are no array
 */
export function vjp<Args extends readonly unknown[] & TreeOf<Args, Tensor>, Out extends TreeOf<Out, Tensor>>(
  f: (...args: Args) => Out,
  primals: readonly [...Args],
): [value: Out, pull: (cotangents: Out) => Args] {
  checkFunction('vjp', f);
  checkArguments('vjp: primals', primals, 'vjp(f, [x])');
  const { leaves, structure } = treeFlatten(primals as Tree<Tensor>);
  leaves.forEach((leaf, i) => checkTensorLeaf('vjp: primal', structure.paths[i]!, leaf));
  const inputs = leaves.map(alias);
  const value = f(...structure.unflatten<Tensor, Args>(inputs));
  const pull = (cotangents: Out): Args => {
    const pairs = treeZip<Tensor>('vjp', value as Tree<Tensor>, cotangents as Tree<Tensor>);
    const [outputs, given] = [pairs.map(({ leaves }) => leaves[0]!), pairs.map(({ leaves }) => leaves[1]!)];
    pairs.forEach(({ path }, i) => {
      const [output, cotangent] = [outputs[i]!, given[i]!];
      checkTensorLeaf('vjp: result', path, output);
      checkTensorLeaf('vjp: cotangent', path, cotangent);
      if (output.dtype !== cotangent.dtype || !sameShape(output.shape, cotangent.shape)) {
        throw new ShapeError(
          `vjp: cotangent "${path}" is ${formatType(cotangent)}, the output is ${formatType(output)}.`,
        );
      }
    });
    const differentiable = inputs.filter((input) => isFloat(input.dtype));
    const found = pullback(outputs, given, differentiable);
    const byInput = new Map(differentiable.map((input, i) => [input, found[i]]));
    const results = inputs.map((input) => byInput.get(input) ?? zerosLike(input));
    return structure.unflatten<Tensor, Args>(results);
  };
  return [value, pull];
}
