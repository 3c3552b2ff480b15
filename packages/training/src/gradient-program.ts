/**
 * The step in two: the gradients of a part of a batch as one executable, and the update that averaged gradients make as
 * another. Between the two is whoever shares batches out: several processes that average on the host, or
 * {@link AccumulatedStep}, which takes one part of a batch after the other, in the memory of one.
 */
import {
  add,
  hostArray,
  HostArray,
  hostZeros,
  mul,
  pick,
  rowsOf,
  TensorSpec,
  where,
  type DeviceArray,
  type Executable,
  type Graph,
  type RowRange,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { frozenOf } from './references.js';
import {
  below,
  only,
  stepScalars,
  traceTree,
  type NamedInputs,
  type StepData,
  type Steps,
  type StepsMade,
  type StepSource,
} from './step-program.js';
import {
  gradientsOf,
  updateBy,
  type Gradients,
  type LossInput,
  type StepScalars,
  type SymbolicState,
} from './train-step.js';
import { flattenTree, mapTree, zipLeaves } from './trees.js';

/** A loss, metrics and gradients on the device, by path. */
export type NamedGradients = Readonly<Record<string, DeviceArray>>;

/** Some rows of the batch and the draws of a step. */
export function dataOfRows(
  { stage }: Pick<StepSource, 'stage'>,
  { batch, draws }: ReturnType<StepData>,
  rows: RowRange,
): ReturnType<StepData> {
  return { batch: rowsOf(batch, rows), draws: stage.rowsOf(draws, rows) };
}

/** What the gradients of so many rows are taken of, as an example to trace with. */
function lossExample(
  source: StepSource,
  rows: number,
  of: number,
): Record<string, Tree<HostArray | TensorSpec>> {
  const { stage, data, state } = source;
  const { optimizer: _, ...looked } = state;
  return {
    ...looked,
    frozen: frozenOf(stage),
    ...dataOfRows(source, data(stage.from), { from: 0, to: rows, of }),
  };
}

/** The gradients of so many rows. */
export class GradientProgram {
  private constructor(
    private readonly source: StepSource,
    private readonly executable: Executable,
  ) {}

  /** @param rows of the batch of `of` */
  static async compile(source: StepSource, rows: number, of: number): Promise<GradientProgram> {
    const { graph } = traceGradients(source, rows, of);
    return new GradientProgram(source, await source.backend.compile(graph));
  }

  /** @param step updates made before */
  run(state: NamedInputs, frozen: NamedInputs, step: number, rows: RowRange): Promise<NamedGradients> {
    const data = flattenTree(dataOfRows(this.source, this.source.data(step), rows));
    const { optimizer: _, ...looked } = this.source.state;
    const inputs = {
      ...only(state, Object.keys(flattenTree<HostArray | TensorSpec>(looked))),
      ...frozen,
      ...data,
    };
    return this.executable.run(inputs, { borrow: true });
  }

  dispose(): Promise<void> {
    return this.executable.dispose();
  }
}

function traceGradients(source: StepSource, rows: number, of: number): ReturnType<typeof traceTree> {
  const f = (input: Omit<SymbolicState, 'optimizer'> & LossInput) => gradientsOf(source, input);
  return traceTree(f, lossExample(source, rows, of), `gradients ${source.stage.name}, ${rows} rows`);
}

/** The types of a loss, metrics and gradients. */
function gradientTypes(source: StepSource, rows: number, of: number): Tree<TensorSpec> {
  const { graph, output } = traceGradients(source, rows, of);
  return output.unflatten(
    graph.outputs.map(({ value }) => {
      const { dtype, shape } = graph.types[value]!;
      return new TensorSpec(dtype, shape);
    }),
  );
}

/** The update that gradients make. */
export class UpdateProgram {
  private constructor(
    private readonly source: StepSource,
    private readonly executable: Executable,
    private readonly statePaths: readonly string[],
    /** The paths of a loss, metrics and gradients. */
    readonly gradientPaths: readonly string[],
  ) {}

  /** @param parts of which the gradients are the sum; 1 by default @param of rows of a batch */
  static async compile(source: StepSource, of: number, parts = 1): Promise<UpdateProgram> {
    const sums = gradientTypes(source, of / parts, of);
    const f = ({
      sums,
      scalars,
      ...state
    }: SymbolicState & { sums: Gradients; scalars: StepScalars<Tensor> }) => {
      const mean = parts === 1 ? sums : zipLeaves('update', sums, [], ([sum]) => mul(sum!, 1 / parts));
      return updateBy(source, state, mean, scalars);
    };
    const example = { ...source.state, sums, scalars: stepScalars(source, source.stage.from, 1) };
    const { graph } = traceTree(f, example, `update ${source.stage.name}`);
    const paths = Object.keys(flattenTree<HostArray | TensorSpec>(source.state));
    const state = Object.fromEntries(paths.map((path) => [path, path]));
    const executable = await source.backend.compile(graph, { state });
    return new UpdateProgram(source, executable, paths, Object.keys(flattenTree(sums)));
  }

  /** Makes an update. The state's device arrays are donated, the gradients' are not. @param step updates made before */
  async run(state: NamedInputs, gradients: NamedInputs, step: number, rateScale: number): Promise<StepsMade> {
    const scalars = flattenTree({ scalars: stepScalars(this.source, step, rateScale) });
    const sums = Object.fromEntries(
      Object.entries(gradients).map(([path, array]) => [`sums/${path}`, array]),
    );
    const outputs = await this.executable.run({ ...state, ...sums, ...scalars }, { borrow: true });
    const result = { step: step + 1, loss: pick(outputs, 'loss').loss, metrics: below(outputs, 'metrics/') };
    return { state: only(outputs, this.statePaths), results: [result] };
  }

  dispose(): Promise<void> {
    return this.executable.dispose();
  }
}

/** A step whose batch is taken in equal parts, one after the other: the same update as of the whole, to rounding. */
export class AccumulatedStep implements Steps {
  readonly count = 1;
  /** Of the parts so far, on the device; zeros at first, which are not looked at. */
  private sums: NamedInputs | undefined;

  private constructor(
    private readonly source: StepSource,
    private readonly executable: Executable,
    private readonly update: UpdateProgram,
    private readonly zeros: () => NamedInputs,
    private readonly parts: number,
    private readonly rows: number,
  ) {}

  /** @param parts that divide the rows of a batch, `of` */
  static async compile(source: StepSource, of: number, parts: number): Promise<AccumulatedStep> {
    const rows = of / parts;
    const types = gradientTypes(source, rows, of);
    const f = ({ sums, isFirst, ...input }: AccumulationInput) => ({
      sums: zipLeaves('accumulate', gradientsOf(source, input), [sums], ([made, sum]) =>
        where(isFirst, made!, add(sum!, made!)),
      ),
    });
    const example = { ...lossExample(source, rows, of), sums: types, isFirst: new TensorSpec('bool', []) };
    const { graph } = traceTree(f, example, `gradients ${source.stage.name}, ${parts} times ${rows} rows`);
    const paths = Object.keys(flattenTree({ sums: types }));
    const executable = await source.backend.compile(graph, {
      state: Object.fromEntries(paths.map((path) => [path, path])),
    });
    const zeros = () =>
      flattenTree(mapTree(({ dtype, shape }: TensorSpec) => hostZeros(shape, dtype), { sums: types }));
    const update = await UpdateProgram.compile(source, of, parts);
    return new AccumulatedStep(source, executable, update, zeros, parts, rows);
  }

  /** Of the gradients of one part. */
  get graph(): Graph {
    return this.executable.graph;
  }

  async run(state: NamedInputs, frozen: NamedInputs, first: number, rateScale: number): Promise<StepsMade> {
    const { source, parts, rows } = this;
    const whole = source.data(first);
    const { optimizer: _, ...looked } = source.state;
    const params = only(state, Object.keys(flattenTree<HostArray | TensorSpec>(looked)));
    for (let part = 0; part < parts; part++) {
      const range = { from: part * rows, to: (part + 1) * rows, of: parts * rows };
      const sums = this.sums ?? this.zeros();
      // Given to the run: should it fail, they are gone.
      this.sums = undefined;
      const isFirst = hostArray(part === 0 ? 1 : 0, { dtype: 'bool' });
      const inputs = {
        ...params,
        ...frozen,
        ...flattenTree(dataOfRows(source, whole, range)),
        ...sums,
        isFirst,
      };
      this.sums = await this.executable.run(inputs, { borrow: true });
    }
    return this.update.run(state, below(this.sums ?? {}, 'sums/'), first, rateScale);
  }

  async dispose(): Promise<void> {
    for (const sum of Object.values(this.sums ?? {})) if (!(sum instanceof HostArray)) sum.dispose();
    await this.executable.dispose();
    await this.update.dispose();
  }
}

type AccumulationInput = Omit<SymbolicState, 'optimizer'> &
  LossInput & { readonly sums: Gradients; readonly isFirst: Tensor };
