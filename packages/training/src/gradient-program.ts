/**
 * The step in two: the gradients of a part of a batch as one executable, and the update that averaged gradients make as
 * another. Between the two is whoever shares batches out: several processes that average on the host, or
 * {@link AccumulatedStep}, which takes one part of a batch after the other, in the memory of one.
 */
import {
  hostDTypeOf,
  add,
  compile,
  hostArray,
  type HostArray,
  hostZeros,
  mul,
  rowsOf,
  TensorSpec,
  traceGivingWay,
  treeMap,
  treeZipMap,
  where,
  type CompiledFunction,
  type DeviceArray,
  type Graph,
  type RowRange,
  type RunInput,
  type SpecLeaf,
  type Tensor,
} from '@meanflow/core';
import { frozenOf } from './references.js';
import {
  compileOptions,
  disposeArrays,
  OWN,
  stepScalars,
  type Step,
  type StepMade,
  type StepSource,
} from './step-program.js';
import {
  gradientsOf,
  updateBy,
  type DataTrees,
  type FrozenTrees,
  type GradientInput,
  type Gradients,
  type StateTrees,
  type StepScalars,
  type TrainStepOutput,
} from './train-step.js';

/** Some rows of the batch and the draws of a step. */
export function dataOfRows(
  { stage }: Pick<StepSource, 'stage'>,
  { batch, draws }: DataTrees<HostArray>,
  rows: RowRange,
): DataTrees<HostArray> {
  return { batch: rowsOf(batch, rows), draws: stage.rowsOf(draws, rows) };
}

/** What the gradients of so many rows are taken of, as an example to trace with. */
function gradientExample(source: StepSource, rows: number, of: number): GradientInput<SpecLeaf> {
  const { stage, data, state } = source;
  const { optimizer: _, ...looked } = state;
  const given = dataOfRows(source, data(stage.from), { from: 0, to: rows, of });
  return { ...looked, frozen: frozenOf(stage), ...given };
}

/** The gradients of so many rows. */
export class GradientProgram {
  private constructor(
    private readonly source: StepSource,
    private readonly program: CompiledFunction<GradientInput<SpecLeaf>, Gradients<Tensor>>,
  ) {}

  /** @param rows of the batch of `of` */
  static async compile(source: StepSource, rows: number, of: number): Promise<GradientProgram> {
    return new GradientProgram(source, await compile(source.backend, await traceGradients(source, rows, of)));
  }

  /** @param step updates made before */
  run(
    state: StateTrees<RunInput>,
    frozen: FrozenTrees<RunInput>,
    step: number,
    rows: RowRange,
  ): Promise<Gradients<DeviceArray>> {
    const { optimizer: _, ...looked } = state;
    return this.program.run(
      { ...looked, frozen, ...dataOfRows(this.source, this.source.data(step), rows) },
      OWN,
    );
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}

function traceGradients(source: StepSource, rows: number, of: number) {
  const f = (input: GradientInput<Tensor>) => gradientsOf(source, input);
  return traceGivingWay(f, gradientExample(source, rows, of), {
    name: `gradients ${source.stage.name}, ${rows} rows`,
  });
}

/** The types of a loss, metrics and gradients. */
async function gradientTypes(source: StepSource, rows: number, of: number): Promise<Gradients<TensorSpec>> {
  const { graph, output } = await traceGradients(source, rows, of);
  return output.unflatten<TensorSpec, Gradients<TensorSpec>>(
    graph.outputs.map(({ value }) => {
      const { dtype, shape } = graph.types[value]!;
      return new TensorSpec(dtype, shape);
    }),
  );
}

/** What an update takes. */
interface UpdateInput<L> extends StateTrees<L> {
  readonly sums: Gradients<L>;
  readonly scalars: StepScalars<L>;
}

/** The update that gradients make. */
export class UpdateProgram {
  private constructor(
    private readonly source: StepSource,
    private readonly program: CompiledFunction<UpdateInput<SpecLeaf>, TrainStepOutput>,
    /** The types of a loss, metrics and gradients. */
    readonly types: Gradients<TensorSpec>,
  ) {}

  /**
   * @param of rows of a batch
   * @param parts of which the gradients are the sum; 1 by default
   * @param known the types of what it is given, where they are known
   */
  static async compile(
    source: StepSource,
    of: number,
    parts = 1,
    known?: Gradients<TensorSpec>,
  ): Promise<UpdateProgram> {
    const types = known ?? (await gradientTypes(source, of / parts, of));
    const f = ({ sums, scalars, ...state }: UpdateInput<Tensor>) => {
      const mean = parts === 1 ? sums : treeMap((sum: Tensor) => mul(sum, 1 / parts), sums);
      return updateBy(source, state, mean, scalars);
    };
    const input: UpdateInput<SpecLeaf> = {
      ...source.state,
      sums: types,
      scalars: stepScalars(source, source.stage.from, 1),
    };
    const traced = await traceGivingWay(f, input, { name: `update ${source.stage.name}` });
    return new UpdateProgram(source, await compile(source.backend, traced, compileOptions(source)), types);
  }

  /** Makes an update. The state's device arrays are donated, the gradients' are not. @param step updates made before */
  async run(
    state: StateTrees<RunInput>,
    sums: Gradients<RunInput>,
    step: number,
    rateScale: number,
  ): Promise<StepMade> {
    const scalars = stepScalars(this.source, step, rateScale);
    const { loss, metrics, ...next } = await this.program.run({ ...state, sums, scalars }, OWN);
    return { state: next, result: { step: step + 1, loss, metrics } };
  }

  dispose(): Promise<void> {
    return this.program.dispose();
  }
}

/** What the gradients of a part take, and those of the parts before it. */
interface AccumulationInput<L> extends GradientInput<L> {
  readonly sums: Gradients<L>;
  readonly isFirst: L;
}

/** Traces the gradients of one part, added to those before. @param parts that divide the rows of a batch, `of` */
export async function tracePart(source: StepSource, of: number, parts: number) {
  const rows = of / parts;
  function* f({ sums, isFirst, ...given }: AccumulationInput<Tensor>) {
    const added = (made: Tensor, sum: Tensor) => where(isFirst, made, add(sum, made));
    return { sums: treeZipMap('accumulate', added, yield* gradientsOf(source, given), sums) };
  }
  source.onPhase?.('tracing');
  const sums = await gradientTypes(source, rows, of);
  const input: AccumulationInput<SpecLeaf> = {
    ...gradientExample(source, rows, of),
    sums,
    isFirst: new TensorSpec('bool', []),
  };
  const traced = await traceGivingWay(f, input, {
    name: `gradients ${source.stage.name}, ${parts} times ${rows} rows`,
  });
  return { traced, sums };
}

/** A step whose batch is taken in equal parts, one after the other: the same update as of the whole, to rounding. */
export class AccumulatedStep implements Step {
  /** Of the parts so far, on the device; zeros at first, which are not looked at. */
  private sums: Gradients<RunInput> | undefined;

  private constructor(
    private readonly source: StepSource,
    private readonly program: CompiledFunction<
      AccumulationInput<SpecLeaf>,
      { readonly sums: Gradients<Tensor> }
    >,
    private readonly update: UpdateProgram,
    private readonly parts: number,
    private readonly rows: number,
  ) {}

  /** @param parts that divide the rows of a batch, `of` */
  static async compile(source: StepSource, of: number, parts: number): Promise<AccumulatedStep> {
    const rows = of / parts;
    const { traced, sums } = await tracePart(source, of, parts);
    const options = { ...compileOptions(source), state: { sums: 'sums' } };
    const program = await compile(source.backend, traced, options);
    const update = await UpdateProgram.compile(source, of, parts, sums);
    return new AccumulatedStep(source, program, update, parts, rows);
  }

  /** Of the gradients of one part. */
  get graph(): Graph {
    return this.program.executable.graph;
  }

  async run(
    state: StateTrees<RunInput>,
    frozen: FrozenTrees<RunInput>,
    step: number,
    rateScale: number,
  ): Promise<StepMade> {
    const { source, parts, rows } = this;
    const whole = source.data(step);
    const { optimizer: _, ...looked } = state;
    let sums = this.sums ?? this.zeros();
    for (let part = 0; part < parts; part++) {
      const range = { from: part * rows, to: (part + 1) * rows, of: parts * rows };
      // Given to the run: should it fail, they are gone.
      this.sums = undefined;
      const isFirst = hostArray(part === 0 ? 1 : 0, { dtype: 'bool' });
      const input = { ...looked, frozen, ...dataOfRows(source, whole, range), sums, isFirst };
      ({ sums } = await this.program.run(input, OWN));
      this.sums = sums;
    }
    return this.update.run(state, sums, step, rateScale);
  }

  async dispose(): Promise<void> {
    if (this.sums !== undefined) disposeArrays(this.sums);
    await this.program.dispose();
    await this.update.dispose();
  }

  private zeros(): Gradients<HostArray> {
    return treeMap(
      ({ dtype, shape }: TensorSpec): HostArray => hostZeros(shape, hostDTypeOf(dtype)),
      this.update.types,
    );
  }
}
