/**
 * trace: from a pure function over trees of tensors to a Graph. Inputs and outputs are named by pytree path
 * (`params/layers/0/weight`), which is how executables take and return them.
 */
import { checkDType } from './check-dtype.js';
import { checkOptions } from './check-options.js';
import { describeValue } from './describe-value.js';
import { ArgumentError, PytreeError } from './errors.js';
import { drainGivingWay, type Steps } from './giving-way.js';
import { closeGraph, type Graph, type NamedTensor } from './graph.js';
import { HostArray } from './host-array.js';
import { treeFlatten, type MapLeaves, type Tree, type TreeOf, type TreeStructure } from './pytree.js';
import { Tensor } from './tensor.js';
import type { DType, Shape, TensorType } from './types.js';

/** The type of an input to trace with, as a leaf of a tree. */
export class TensorSpec implements TensorType {
  constructor(
    readonly dtype: DType,
    readonly shape: Shape,
  ) {}
}

/** A {@link TensorSpec}: `spec([batch, 2])` is float32. */
export function spec(shape: Shape, dtype: DType = 'float32'): TensorSpec {
  return new TensorSpec(dtype, shape);
}

/** What may stand as a leaf of trace's second argument: anything with a dtype and a shape. */
export type SpecLeaf = TensorSpec | HostArray | Tensor;

/** `T` with every spec replaced by a symbolic tensor: what the traced function receives. */
export type Traced<T> = MapLeaves<T, SpecLeaf, Tensor>;

/** A traced function: its graph, and the structures of its argument and result. */
export interface TracedFunction<In, Out> {
  readonly graph: Graph;
  readonly input: TreeStructure;
  readonly output: TreeStructure;
  /** Never set; carries the types of the argument and the result. */
  readonly signature?: (input: In) => Out;
}

export interface TraceOptions {
  readonly name?: string;
}

/**
 * Traces `f` once, at the dtypes and shapes of `input`.
 *
 * @param f a pure function; it must return a tree of tensors
 * @param input a tree of specs, host arrays or tensors, of which only dtype and shape are used
 * @param options.name the graph's name, for printing
 * @throws {PytreeError} when a leaf of `input` or of the result is not what it should be
 * @throws {TraceError} when the result depends on tensors of another trace
 * @throws {ShapeError | DTypeError | ArgumentError} from the ops in `f`
 */
export function trace<In extends TreeOf<In, SpecLeaf>, Out extends TreeOf<Out, Tensor>>(
  f: (input: Traced<In>) => Out,
  input: In,
  options: TraceOptions = {},
): TracedFunction<In, Out> {
  checkOptions<TraceOptions>('trace', options, { name: true });
  const begun = beginTrace<In>(input);
  return closeTrace(options.name ?? (f.name || 'main'), begun, f(begun.given));
}

/**
 * {@link trace} of a function in steps, which lets timers, input and other work have their turn between these whenever it has held
 * the event loop for some time: for functions that are differentiated as a whole, such as a train step.
 *
 * @param f as for `trace`, but a generator; see `valueAndGradInSteps`
 */
export function traceGivingWay<In extends TreeOf<In, SpecLeaf>, Out extends TreeOf<Out, Tensor>>(
  f: (input: Traced<In>) => Steps<Out>,
  input: In,
  options: TraceOptions = {},
): Promise<TracedFunction<In, Out>> {
  return drainGivingWay(tracing(f, input, options));
}

function* tracing<In extends TreeOf<In, SpecLeaf>, Out extends TreeOf<Out, Tensor>>(
  f: (input: Traced<In>) => Steps<Out>,
  input: In,
  options: TraceOptions,
): Steps<TracedFunction<In, Out>> {
  checkOptions<TraceOptions>('traceGivingWay', options, { name: true });
  const begun = beginTrace<In>(input);
  const result = yield* f(begun.given);
  yield;
  return closeTrace(options.name ?? (f.name || 'main'), begun, result);
}

/** A trace whose function is yet to be called. */
interface BegunTrace<In> {
  readonly structure: TreeStructure;
  readonly inputs: readonly NamedTensor[];
  /** What the function is given. */
  readonly given: Traced<In>;
}

function beginTrace<In>(input: In): BegunTrace<In> {
  const { leaves, structure } = treeFlatten(input as Tree<SpecLeaf>);
  const inputs = leaves.map((leaf, i) => {
    const name = structure.paths[i] || 'input';
    return { name, tensor: Tensor.emit('input', [], { name }, specType(leaf, name)) };
  });
  checkDistinct(
    'argument',
    inputs.map(({ name }) => name),
  );
  const given = structure.unflatten<Tensor, Traced<In>>(inputs.map(({ tensor }) => tensor));
  return { structure, inputs, given };
}

function closeTrace<In, Out>(
  title: string,
  { structure, inputs }: BegunTrace<In>,
  result: Out,
): TracedFunction<In, Out> {
  const output = treeFlatten(result as Tree<Tensor>);
  const outputs = output.leaves.map((leaf, i) => {
    const name = output.structure.paths[i] || 'output';
    if (!(leaf instanceof Tensor)) {
      throw new PytreeError(
        `The traced function returned ${describeValue(leaf)} as "${name}"; it must return tensors.`,
      );
    }
    return { name, tensor: leaf };
  });
  checkDistinct(
    'result',
    outputs.map(({ name }) => name),
  );
  const graph = closeGraph(title, inputs, outputs);
  return { graph, input: structure, output: output.structure };
}

/** Keys that hold a slash can make two paths one name. */
function checkDistinct(tree: string, names: readonly string[]): void {
  const met = new Set<string>();
  const repeated = names.find((name) => met.size === met.add(name).size);
  if (repeated !== undefined) {
    throw new PytreeError(`trace: two leaves of the ${tree} have the path "${repeated}"; rename a key.`);
  }
}

function specType(leaf: SpecLeaf, name: string): TensorType {
  if (!(leaf instanceof TensorSpec || leaf instanceof HostArray || leaf instanceof Tensor)) {
    throw new PytreeError(
      `trace: leaf "${name}" is ${describeValue(leaf)}; it must be a spec(...), a HostArray or a Tensor.`,
    );
  }
  if (leaf.dtype !== 'float64') checkDType(`trace: leaf "${name}"`, leaf.dtype);
  if (!Array.isArray(leaf.shape)) {
    throw new ArgumentError(
      `trace: leaf "${name}" has shape ${describeValue(leaf.shape)}; a shape is an array of dimensions.`,
    );
  }
  if (!leaf.shape.every((dimension) => Number.isInteger(dimension) && dimension >= 0)) {
    throw new ArgumentError(
      `trace: leaf "${name}" has shape [${leaf.shape.join(', ')}]; dimensions are non-negative integers.`,
    );
  }
  return { dtype: leaf.dtype === 'float64' ? 'float32' : leaf.dtype, shape: [...leaf.shape] };
}
