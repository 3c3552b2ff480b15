/**
 * A compiled piece of a sampler: some function of the velocity field, with parameters and conditions as graph
 * inputs, so that one executable serves any checkpoint, label and guidance scale, or with settled parameters as constants. It knows how often it
 * evaluates the network.
 */
import {
  HostArray,
  spec,
  trace,
  treeFlatten,
  treeMap,
  treePaths,
  treeRecord,
  type Backend,
  type CompileProgress,
  type DeviceArray,
  type Graph,
  type Precision,
  type RunInput,
  type RunOptions,
  type Symbolic,
  type Tensor,
  type TensorSpec,
  type SpecLeaf,
  type Tree,
} from '@meanflow/core';
import { velocityField, type FieldConditions, type VelocityField } from './field.js';
import type { ParameterTreeOf, VelocityNetwork } from './velocity-network.js';

/** Everything a sampler's graph takes, as one tree; inputs are named by the paths in it. */
export interface SamplerInputs<Leaf> {
  /** Parameters of the network. */
  readonly params: Tree<Leaf>;
  /** Labels and conditions have a row for each sample, the others are scalars. */
  readonly conditions: FieldConditions<Leaf>;
  /** What guidance drops, which is part of the graph and no input. */
  readonly drop?: readonly string[] | undefined;
  /** What else there is, such as the state and the times. */
  readonly values: Readonly<Record<string, Leaf>>;
  /** Parameters of what the samples go through in the end. */
  readonly decoder?: Tree<Leaf>;
}

/** The tree whose paths name the inputs; the network's own conditions lie beside the label, `conditions/<name>`. */
function treeOf<Leaf>({ params, conditions, values, decoder }: SamplerInputs<Leaf>): Tree<Leaf> {
  const { conditions: own, present, guidance, ...others } = conditions;
  return {
    params,
    conditions: { ...others, ...own, ...(guidance && { guidance: { ...guidance } }) },
    values,
    ...(present && { present }),
    ...(decoder === undefined ? {} : { decoder }),
  };
}

/** Names of the inputs that conditions are. */
export function conditionNames(conditions: FieldConditions<unknown>): readonly string[] {
  return treePaths(treeOf({ params: {}, conditions, values: {} })).map(({ path }) => path);
}

/** Input values by name, as an executable takes them. */
export function namedInputs<Leaf>(inputs: SamplerInputs<Leaf>): Record<string, Leaf> {
  return treeRecord(treeOf(inputs));
}

/** Every leaf replaced by its dtype and shape, a float64 one by float32. */
export function inputSpecs<Leaf extends Pick<RunInput, 'dtype' | 'shape'> | SpecLeaf>(
  inputs: SamplerInputs<Leaf>,
): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(namedInputs(inputs)).map(([name, { dtype, shape }]) => [
      name,
      spec(shape, dtype === 'float64' ? 'float32' : dtype),
    ]),
  );
}

/** A function of the velocity field, of `values`, of the decoder's parameters and of the conditions, to be traced. */
export type FieldFunction = (
  field: VelocityField,
  values: Readonly<Record<string, Tensor>>,
  decoder: Tree<Tensor> | undefined,
  conditions: FieldConditions,
) => Record<string, Tensor>;

/**
 * Traces a function of a network's velocity field.
 *
 * @param inputs a tree whose leaves have the dtypes and shapes to trace with
 * @param rows samples in a batch
 * @param precision of the network's products; float32 by default
 * @returns the graph, and the network evaluations in it for each sample
 */
export function traceField<Params extends ParameterTreeOf<Params>>(
  network: VelocityNetwork<Params>,
  name: string,
  inputs: SamplerInputs<RunInput | SpecLeaf>,
  rows: number,
  body: FieldFunction,
  precision?: Precision,
): { readonly graph: Graph; readonly evaluations: number } {
  const { structure } = treeFlatten<RunInput | SpecLeaf>(treeOf(inputs));
  let evaluatedRows = 0;
  const onEvaluation = (evaluated: number) => void (evaluatedRows += evaluated);
  const { graph } = trace(
    (flat: Readonly<Record<string, Tensor>>) => {
      // The leaves are put back where they came from, which the types of a generic tree cannot say.
      const symbolic = structure.unflatten(structure.paths.map((path) => flat[path])) as unknown as {
        readonly params: Symbolic<Params>;
        readonly conditions: FieldConditions & Readonly<Record<string, Tensor>>;
        readonly present?: Readonly<Record<string, Tensor>>;
        readonly values: Readonly<Record<string, Tensor>>;
        readonly decoder?: Tree<Tensor>;
      };
      const { present } = symbolic;
      const names = Object.keys(network.conditions ?? {}).filter((name) => name in symbolic.conditions);
      const own = Object.fromEntries(names.map((name) => [name, symbolic.conditions[name]!]));
      const conditions = { ...symbolic.conditions, conditions: own, present };
      const options = { drop: inputs.drop, precision, onEvaluation };
      const field = velocityField(network, symbolic.params, conditions, options);
      return body(field, symbolic.values, symbolic.decoder, conditions);
    },
    inputSpecs(inputs),
    { name },
  );
  return { graph, evaluations: evaluatedRows / rows };
}

/** What a program that is made is at. */
export type ProgramPhase = 'tracing' | CompileProgress['phase'];

/** How a program is made. */
export interface ProgramOptions {
  /** Of the network's products; in float16 settled parameters are stored so too. */
  readonly precision?: Precision | undefined;
  /** Told when a phase begins. */
  readonly onPhase?: ((phase: ProgramPhase) => void) | undefined;
}

/** The same inputs with parameters that are stored as float16. */
function withHalfParameters(inputs: SamplerInputs<RunInput | SpecLeaf>): SamplerInputs<RunInput | SpecLeaf> {
  const stored = ({ dtype, shape }: RunInput | SpecLeaf): SpecLeaf =>
    spec(shape, dtype === 'float64' || dtype === 'float32' ? 'float16' : dtype);
  return { ...inputs, params: treeMap(stored, inputs.params) };
}

/** A compiled function of the velocity field. */
export interface Program {
  /** Evaluations of the network in one run, for each of its samples. */
  readonly evaluations: number;
  run(inputs: SamplerInputs<RunInput>, options?: RunOptions): Promise<Record<string, DeviceArray>>;
  dispose(): Promise<void>;
}

/**
 * Traces and compiles.
 *
 * @param state values that outputs of the same name replace on the device
 * @param settled parameters that are constants of the program, which is then run without any; lent as long as it lives
 */
export async function compileProgram<Params extends ParameterTreeOf<Params>>(
  backend: Backend,
  network: VelocityNetwork<Params>,
  name: string,
  inputs: SamplerInputs<RunInput | SpecLeaf>,
  rows: number,
  body: FieldFunction,
  state: readonly string[] = [],
  settled?: Tree<HostArray>,
  { precision, onPhase }: ProgramOptions = {},
): Promise<Program> {
  onPhase?.('tracing');
  const stored = settled && precision === 'float16' ? withHalfParameters(inputs) : inputs;
  const { graph, evaluations } = traceField(network, name, stored, rows, body, precision);
  const executable = await backend.compile(graph, {
    state: Object.fromEntries(state.map((key) => [`values/${key}`, key])),
    ...(settled && { constants: treeRecord({ params: settled }), borrow: true }),
    ...(onPhase && { onProgress: ({ phase }: CompileProgress) => onPhase(phase) }),
  });
  return {
    evaluations,
    run: (given, options) => executable.run(namedInputs(settled ? { ...given, params: {} } : given), options),
    dispose: () => executable.dispose(),
  };
}

/** A float32 scalar. */
export function scalar(value: number): HostArray<'float32'> {
  return new HostArray('float32', [], Float32Array.of(value));
}
