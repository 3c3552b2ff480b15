/**
 * The Backend contract: what a package must provide so that every graph runs on its device. A backend compiles and
 * runs graphs; it never differentiates. The conformance kit is the last word on whether it does so correctly.
 */
import { checkOptions } from './check-options.js';
import { PytreeError, ShapeError } from './errors.js';
import type { Graph } from './graph.js';
import type { HostArray } from './host-array.js';
import type { CancellationSignal } from './platform.js';
import { assertSamePaths, treePaths, type MapLeaves, type Tree } from './pytree.js';
import type { Tensor } from './tensor.js';
import type { SpecLeaf, TracedFunction } from './trace.js';
import { formatType, sameShape, type TensorType } from './types.js';

/** What a backend really runs on. */
export interface DeviceInfo {
  /** The backend's name, such as `ort:cpu`. */
  readonly backend: string;
  /** Kind of device. */
  readonly device: 'cpu' | 'wasm' | 'webgpu' | 'cuda';
  /** The device as its driver names it. */
  readonly description: string;
  /** Versions of the libraries underneath, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** A value that lives where the backend put it, until it is disposed of or donated. */
export interface DeviceArray extends TensorType {
  /**
   * Copies to the host what the array holds at the call, also when it is disposed of or donated before the copy is there.
   *
   * @throws {DisposedError} after `dispose()` or donation
   * @throws {DeviceLostError} when the device went away
   */
  read(): Promise<HostArray>;
  /** Frees the memory; doing so twice is allowed. */
  dispose(): void;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a run takes for one input. */
export type RunInput = HostArray | DeviceArray;

/** What a graph that is compiled is at. */
export interface CompileProgress {
  /** `preparing`: passes over the graph and their lowering, on this thread; `compiling`: what the runtime underneath does with it. */
  readonly phase: 'preparing' | 'compiling';
  /** Since the call. */
  readonly seconds: number;
}

export interface CompileOptions {
  /**
   * Outputs that replace inputs of the same type, by name: state that stays on the device. A run consumes the
   * device arrays passed for these inputs (they are donated), so that their memory can hold the results.
   */
  readonly state?: Readonly<Record<string, string>>;
  /**
   * Inputs whose values are settled here, by name, such as the parameters of a network that only samples: runs are not given them. A
   * device may lay them out for its matrix products once, and none moves them again. They are taken at the call, and stay in the
   * device's memory until the executable is disposed of.
   */
  readonly constants?: Readonly<Record<string, HostArray>>;
  /**
   * Lends the constants: the caller leaves their memory as it is until the executable is disposed of, and they are not copied
   * where the device reads the host's memory. False by default.
   */
  readonly borrow?: boolean;
  /** Told when a phase begins. Backends that have no phases tell of none. */
  readonly onProgress?: (progress: CompileProgress) => void;
}

export interface RunOptions {
  /** Aborts between runs and, where the runtime can, within one; the run then rejects with the signal's reason. */
  readonly signal?: CancellationSignal;
  /**
   * Lends host arrays: the caller leaves their memory as it is until the run is done, which then need not copy it. False by
   * default. A copy took 0.7 ms a MiB, and 2 ms beyond 64 MiB, on a busy machine of two cores: next to nothing for a batch,
   * worth saving for the parameters of a large network.
   */
  readonly borrow?: boolean;
}

/** A compiled graph. Inputs and outputs are named by pytree path. */
export interface Executable {
  readonly graph: Graph;
  /**
   * Runs once, with every input but the constants. Runs of one executable do not overlap: a second waits for the first. Inputs are taken at the call: a host
   * array may be changed right after it (`RunOptions.borrow` says otherwise), a device array may be disposed of once the
   * run is done. Of two runs that are given the same state, the second finds it donated, and is refused.
   *
   * @returns every output by name; the caller disposes of them
   * @throws {ArgumentError | ShapeError | DTypeError} when an input is missing, unknown or not of the graph's type
   * @throws {DisposedError} after `dispose()`, or when an input was disposed of or donated
   * @throws {DeviceLostError} when the device went away, before the run or in it
   */
  run(inputs: Readonly<Record<string, RunInput>>, options?: RunOptions): Promise<Record<string, DeviceArray>>;
  /** Frees what the executable holds, once the runs that were asked for are done. Arrays that it returned stay valid. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A device that runs graphs. */
export interface Backend {
  /** The name it is chosen by, such as `ort:cpu` or `tfjs:webgpu`. */
  readonly name: string;
  describe(): DeviceInfo;
  /**
   * @throws {BackendError} when the graph cannot run on this device, naming the op
   * @throws {DisposedError} after `dispose()`, also when it comes while the graph is compiled
   * @throws {DeviceLostError} when the device went away
   */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /** Disposes of every executable, and frees the device; doing so twice is allowed. Nothing is left when it is done. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An executable that takes and returns pytrees. */
export interface CompiledFunction<In, Out> {
  readonly executable: Executable;
  /** @throws {PytreeError} when `input` has another structure than the function was traced with */
  run(input: InputTree<In>, options?: RunOptions): Promise<OutputTree<Out>>;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `T` with every leaf replaced by what a run takes. */
export type InputTree<T> = MapLeaves<T, SpecLeaf | RunInput, RunInput>;

/** `T` with every tensor replaced by what a run returns. */
export type OutputTree<T> = MapLeaves<T, Tensor, DeviceArray>;

/**
 * Compiles a traced function. Of trees whose form is known when the program runs only (`Tree<…>`), input and output are such
 * trees again.
 *
 * @param options.state pairs of subtrees, by path: `{ params: 'params' }` donates every input below `params` to the
 *   output of the same name below `params`
 * @throws {PytreeError} when a pair names no input or output
 * @throws {ShapeError} when an output's type is not that of the input it replaces
 */
export async function compile<In, Out>(
  backend: Backend,
  traced: TracedFunction<In, Out>,
  options: Pick<CompileOptions, 'state' | 'onProgress'> = {},
): Promise<CompiledFunction<In, Out>> {
  checkOptions<Pick<CompileOptions, 'state' | 'onProgress'>>('compile', options, {
    state: true,
    onProgress: true,
  });
  const { graph, input, output } = traced;
  const { state: pairs = {}, onProgress } = options;
  const state = expandState(graph, pairs);
  const executable = await backend.compile(graph, { state, ...(onProgress && { onProgress }) });
  const expected = input.paths.map((path) => ({ path }));
  const run: CompiledFunction<In, Out>['run'] = async (tree, runOptions) => {
    const given = treePaths(tree as Tree<RunInput>);
    assertSamePaths(`Inputs of "${graph.name}"`, expected, given);
    const inputs = Object.fromEntries(given.map(({ path, leaf }) => [path || 'input', leaf]));
    const results = await executable.run(inputs, runOptions);
    return output.unflatten<DeviceArray, OutputTree<Out>>(
      output.paths.map((path) => results[path || 'output']!),
    );
  };
  const dispose = () => executable.dispose();
  return { executable, run, dispose, [Symbol.asyncDispose]: dispose };
}

/** Subtree pairs to leaf pairs of one type each. */
function expandState(graph: Graph, pairs: Readonly<Record<string, string>>): Record<string, string> {
  const state: [string, string][] = [];
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, value]));
  for (const [from, to] of Object.entries(pairs)) {
    const matches = graph.inputs.filter(({ name }) => name === from || name.startsWith(`${from}/`));
    if (matches.length === 0) throw new PytreeError(`state: graph "${graph.name}" has no input "${from}".`);
    for (const { name, value } of matches) {
      const target = to + name.slice(from.length);
      const output = outputs.get(target);
      if (output === undefined) {
        throw new PytreeError(`state: graph "${graph.name}" has no output "${target}" for "${name}".`);
      }
      const [given, replaced] = [graph.types[output]!, graph.types[value]!];
      if (given.dtype !== replaced.dtype || !sameShape(given.shape, replaced.shape)) {
        throw new ShapeError(
          `state: output "${target}" is ${formatType(given)} and cannot replace "${name}", ${formatType(replaced)}.`,
        );
      }
      state.push([name, target]);
    }
  }
  return Object.fromEntries(state);
}
