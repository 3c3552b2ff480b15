/**
 * Stages: what an objective does from which step on, each with all that it takes over from the one before. Here the types of
 * an objective's trees end, which `Trainer.create` has checked: beyond, trees are known by their paths.
 */
import {
  ArgumentError,
  rowsOf,
  type HostArray,
  type LossAndMetrics,
  type Objective,
  type RandomKey,
  type References,
  type RowRange,
  type Tensor,
  type Tree,
} from '@meanflow/core';

/** An objective between two steps, for its network. */
export interface Stage {
  readonly name: string;
  /** Updates made before its first. */
  readonly from: number;
  /** Updates made after its last; Infinity for the last stage. */
  readonly until: number;
  readonly references: References;
  draw(given: {
    readonly key: RandomKey;
    readonly batch: Tree<HostArray>;
    readonly step: number;
  }): Tree<HostArray>;
  /** Whether the loss of a batch is more than the mean of those of its rows. */
  readonly couplesRows: boolean;
  /** The draws of some rows of the batch. */
  rowsOf(draws: Tree<HostArray>, rows: RowRange): Tree<HostArray>;
  /** Traced, pure. @param given.references the parameters of each reference, by its name */
  loss(given: {
    readonly params: Tree<Tensor>;
    readonly batch: Tree<Tensor>;
    readonly draws: Tree<Tensor>;
    readonly references: Readonly<Record<string, Tree<Tensor>>>;
  }): LossAndMetrics;
}

/** An objective whose trees are known when it runs only. */
export type AnyObjective = Objective<unknown, Tree<HostArray>, Tree<HostArray>, Tree<HostArray>, References>;

/**
 * @returns at least one stage, the first from step 0
 * @throws {ArgumentError} when the steps from which stages begin do not rise from stage to stage
 */
export function stagesOf(objective: AnyObjective, network: unknown): readonly [Stage, ...Stage[]] {
  const { name, stages = [] } = objective;
  const borders = [0, ...stages.map(({ from }) => from)];
  borders.forEach((from, i) => {
    if (i === 0 || (Number.isSafeInteger(from) && from > borders[i - 1]!)) return;
    throw new ArgumentError(
      `The stages of "${name}" begin at steps that are whole numbers above 0 and rise, got ${borders.slice(1).join(', ')}.`,
    );
  });
  // Called on the objective, whose methods may need their `this`.
  let draw: typeof objective.draw = (given) => objective.draw(given);
  let loss: typeof objective.loss = (given) => objective.loss(given);
  let references: References = objective.references ?? {};
  const stageFrom = (index: number): Stage => {
    const of = { draw, loss, references };
    return {
      name,
      from: borders[index]!,
      until: borders[index + 1] ?? Infinity,
      references,
      couplesRows: objective.couplesRows ?? false,
      rowsOf: (draws, rows) => objective.rowsOf?.(draws, rows) ?? rowsOf(draws, rows),
      draw: (given) => of.draw({ ...given, network }),
      loss: (given) =>
        of.loss({
          ...given,
          network,
          references: Object.fromEntries(
            Object.entries(given.references).map(([key, params]) => {
              const reference = of.references[key];
              const isFrozen = reference !== undefined && 'frozen' in reference;
              return [key, { network: isFrozen ? reference.frozen : network, params }];
            }),
          ),
        }),
    };
  };
  const first = stageFrom(0);
  return [
    first,
    ...stages.map((stage, i) => {
      if (stage.draw !== undefined) draw = (given) => stage.draw!(given);
      if (stage.loss !== undefined) loss = (given) => stage.loss!(given);
      references = stage.references ?? references;
      return stageFrom(i + 1);
    }),
  ];
}

/** The stage of a step. @param step updates made before */
export function stageAt(stages: readonly [Stage, ...Stage[]], step: number): Stage {
  return stages.findLast(({ from }) => from <= step) ?? stages[0];
}
