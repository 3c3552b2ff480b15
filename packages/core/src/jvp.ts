/**
 * Forward mode: Jacobian–vector products by the rules of the op table. Tangents that are zero are never made: they are
 * `undefined` on the way, and what only they would reach is not visited. Derivatives are nodes of the same graph as
 * the primal, so the primal is computed once, and derivatives of derivatives need nothing more.
 */
import { apply } from './apply.js';
import { checkOptions } from './check-options.js';
import { ruleOf } from './derivatives/table.js';
import { describeValue } from './describe-value.js';
import { ArgumentError, DTypeError, PytreeError, ShapeError } from './errors.js';
import { full } from './functions.js';
import { drain, type Steps } from './giving-way.js';
import { applyProgram, collectNodes } from './graph.js';
import { treeFlatten, treePaths, type MapLeaves, type Tree, type TreeOf } from './pytree.js';
import { Tensor, type Tangent, type TraceNode } from './tensor.js';
import { formatType, isFloat, sameShape } from './types.js';

/** A fresh name for the same value: what is differentiated is this name, not other uses of the value. */
export function alias(tensor: Tensor): Tensor {
  return Tensor.emit('alias', [tensor], {}, tensor);
}

/**
 * Tangents of `outputs`, given those of some tensors that they were computed from.
 *
 * @param seeds tangents by tensor; every other input is held fixed
 */
export function pushforward(outputs: readonly Tensor[], seeds: ReadonlyMap<Tensor, Tensor>): Tangent[] {
  return drain(pushingForward(outputs, seeds));
}

/** How many nodes are differentiated between two steps: some milliseconds' work, before it is compiled. */
export const NODES_PER_STEP = 64;

/** {@link pushforward} in steps. */
export function* pushingForward(
  outputs: readonly Tensor[],
  seeds: ReadonlyMap<Tensor, Tensor>,
): Steps<Tangent[]> {
  const tangents = new Map<Tensor, Tensor>(seeds);
  const earliest = Math.min(...[...seeds.keys()].map((tensor) => tensor.node.id));
  const seeded = new Set([...seeds.keys()].map((tensor) => tensor.node));
  const nodes = collectNodes(outputs, seeded, ({ id }) => id > earliest);
  for (const [i, node] of nodes.entries()) {
    if ((i + 1) % NODES_PER_STEP === 0) yield;
    const incoming = node.inputs.map((input) => tangents.get(input));
    if (incoming.every((tangent) => tangent === undefined)) continue;
    tangentsOf(node, incoming).forEach((tangent, k) => {
      if (tangent !== undefined) tangents.set(node.outputs[k]!, tangent);
    });
  }
  return outputs.map((output) => tangents.get(output));
}

function tangentsOf(node: TraceNode, tangents: readonly Tangent[]): readonly Tangent[] {
  if (node.op === 'input') return [undefined];
  if (node.op === 'alias') return tangents;
  if (node.op !== 'composite') {
    const { op, attributes, inputs, outputs } = node;
    const again = (operands: readonly Tensor[]) => apply(op, operands, attributes);
    return [ruleOf(op).jvp({ inputs, tangents, output: outputs[0], attributes, apply: again })];
  }
  const { definition, parameters, body } = node.attributes;
  if (definition.jvp !== undefined) {
    return definition.jvp({ inputs: node.inputs, outputs: node.outputs, tangents, parameters });
  }
  const inputs = node.inputs.map(alias);
  const seeds = new Map(
    inputs.flatMap((input, i): [Tensor, Tensor][] => (tangents[i] ? [[input, tangents[i]]] : [])),
  );
  return pushforward(applyProgram(body, inputs), seeds);
}

/** A tangent as users give it: a tensor, 0 for a tangent that is zero, or another number for a constant one. */
export type TangentLike = Tensor | number;

/** The tree of tangents for a tree of primals. */
export type TangentTree<T> = MapLeaves<T, Tensor, TangentLike>;

/**
 * The value of `f` and its Jacobian–vector product: `(f(primals), ∂f(primals) · tangents)`.
 *
 * @param f a pure function of trees of tensors
 * @param primals one argument each
 * @param tangents of the same structure; `0` marks a leaf that is held fixed and costs nothing
 * @throws {ArgumentError} when `f` is no function, or primals or tangents are no array
 * @throws {PytreeError} when tangents and primals differ in structure
 * @throws {ShapeError | DTypeError} when a tangent's type is not its primal's
 */
export function jvp<Args extends readonly unknown[] & TreeOf<Args, Tensor>, Out extends TreeOf<Out, Tensor>>(
  f: (...args: Args) => Out,
  primals: readonly [...Args],
  tangents: { readonly [K in keyof Args]: TangentTree<Args[K]> },
): [value: Out, tangent: Out];
/** The same for `f` that returns `[value, aux]`: `aux` is passed through, and is not differentiated. */
export function jvp<
  Args extends readonly unknown[] & TreeOf<Args, Tensor>,
  Out extends TreeOf<Out, Tensor>,
  Aux,
>(
  f: (...args: Args) => readonly [Out, Aux],
  primals: readonly [...Args],
  tangents: { readonly [K in keyof Args]: TangentTree<Args[K]> },
  options: { readonly hasAux: true },
): [value: Out, tangent: Out, aux: Aux];
export function jvp<
  Args extends readonly unknown[] & TreeOf<Args, Tensor>,
  Out extends TreeOf<Out, Tensor>,
  Aux,
>(
  f: (...args: Args) => Out | readonly [Out, Aux],
  primals: readonly [...Args],
  tangents: { readonly [K in keyof Args]: TangentTree<Args[K]> },
  options: { readonly hasAux?: boolean } = {},
): unknown {
  checkOptions<{ readonly hasAux?: boolean }>('jvp', options, { hasAux: true });
  checkFunction('jvp', f);
  checkArguments('jvp: primals', primals, 'jvp(f, [x], [dx])');
  checkArguments('jvp: tangents', tangents, 'jvp(f, [x], [dx])');
  const { leaves, structure } = treeFlatten(primals as Tree<Tensor>);
  const paths = new Set(structure.paths);
  const given = new Map(treePaths(tangents as Tree<TangentLike>).map(({ path, leaf }) => [path, leaf]));
  const unknown = [...given.keys()].find((path) => !paths.has(path));
  if (unknown !== undefined) throw new PytreeError(`jvp: tangent "${unknown}" has no primal.`);
  const seeds = new Map<Tensor, Tensor>();
  const inputs = leaves.map((primal, i) => {
    const path = structure.paths[i]!;
    checkTensorLeaf('jvp: primal', path, primal);
    if (!given.has(path)) {
      throw new PytreeError(`jvp: primal "${path}" has no tangent; pass 0 to hold it fixed.`);
    }
    const input = alias(primal);
    const tangent = checkedTangent(path, primal, given.get(path)!);
    if (tangent !== undefined) seeds.set(input, tangent);
    return input;
  });
  const result = f(...structure.unflatten<Tensor, Args>(inputs));
  if (options.hasAux) checkPair('jvp', result);
  const [value, aux] = options.hasAux ? (result as readonly [Out, Aux]) : [result as Out, undefined];
  const out = treeFlatten(value as Tree<Tensor>);
  out.leaves.forEach((leaf, i) => checkTensorLeaf('jvp: result', out.structure.paths[i]!, leaf));
  const pushed = pushforward(out.leaves, seeds).map((tangent, i) => tangent ?? zerosLike(out.leaves[i]!));
  const tangent = out.structure.unflatten(pushed);
  return options.hasAux ? [value, tangent, aux] : [value, tangent];
}

/** @throws {ArgumentError} when what should be differentiated is no function */
export function checkFunction(transform: string, f: unknown): void {
  if (typeof f === 'function') return;
  throw new ArgumentError(`${transform}: f is ${describeValue(f)}, not a function of tensors.`);
}

/**
 * @param what the transform and which of its parameters, as in `jvp: primals`
 * @param example how the transform is called, with one argument
 * @throws {ArgumentError} when a list with one value per argument of a function is none
 */
export function checkArguments(what: string, given: unknown, example: string): void {
  if (Array.isArray(given)) return;
  throw new ArgumentError(
    `${what} are ${describeValue(given)}, not an array with one for each argument of f, as in \`${example}\`.`,
  );
}

/** @throws {ArgumentError} when a function that should return a value and what is passed through returned something else */
export function checkPair(transform: string, result: unknown): void {
  if (Array.isArray(result) && result.length === 2) return;
  throw new ArgumentError(
    `${transform}: f returned ${describeValue(result)}; with hasAux it returns \`[value, aux]\`.`,
  );
}

/** @throws {PytreeError} when a leaf of a tree of tensors is something else */
export function checkTensorLeaf(what: string, path: string, leaf: unknown): void {
  if (leaf instanceof Tensor) return;
  throw new PytreeError(`${what} "${path}" is ${String(leaf)} (${typeof leaf}), not a tensor.`);
}

/** The tangent or cotangent of what does not move: of integers it is float32. */
export function zerosLike({ dtype, shape }: Tensor): Tensor {
  return full(shape, 0, isFloat(dtype) ? dtype : 'float32');
}

function checkedTangent(path: string, primal: Tensor, tangent: TangentLike): Tangent {
  if (tangent === 0) return undefined;
  if (!isFloat(primal.dtype)) {
    throw new DTypeError(
      `jvp: primal "${path}" is ${formatType(primal)}; only float32 and float16 have a tangent, pass 0.`,
    );
  }
  if (typeof tangent === 'number') return full(primal.shape, tangent, primal.dtype);
  checkTensorLeaf('jvp: tangent', path, tangent);
  if (tangent.dtype !== primal.dtype || !sameShape(tangent.shape, primal.shape)) {
    throw new ShapeError(
      `jvp: tangent "${path}" is ${formatType(tangent)}, its primal is ${formatType(primal)}.`,
    );
  }
  return tangent;
}
