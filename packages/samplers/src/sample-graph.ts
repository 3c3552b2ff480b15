/**
 * A whole sampler as one graph: every step of a fixed grid unrolled, times as constants. It is what gets
 * exported, and what a single run of an executable takes from noise to samples.
 */
import {
  ArgumentError,
  constant,
  less,
  lessEqual,
  logicalAnd,
  mul,
  reshape,
  spec,
  where,
  type ConditionSpecs,
  type Graph,
  type HostArray,
  type MapLeaves,
  type Tensor,
  type TensorSpec,
  type SpecLeaf,
  type Tree,
} from '@meanflow/core';
import { checkOptions, didYouMean, ownValue, pick } from '@meanflow/core/validation';
import type { SampleDecoder } from './decoder.js';
import { checkGrid } from './grid.js';
import { traceField } from './program.js';
import type { FixedStepSolver } from './solvers/solver.js';
import type { ParameterTree, ParameterTreeOf, VelocityNetwork } from './velocity-network.js';

/** A traced sampler. */
export interface SampleGraph {
  /**
   * Inputs `params/…`, `values/noise` and, where asked for, `conditions/label`, `conditions/<name>` for those that the
   * network declares and `present/<name>`, `conditions/{omega,tMin,tMax}` and `conditions/guidance/{scale,start,end}`
   * (float32 scalars), and `decoder/…`; output `samples`. Where the first time is 1, `noise` is standard normal, and the network's noise scale is
   * applied to it; otherwise it is z at that time. Nobody checks labels where the graph runs: the sample of one that is no
   * class is NaN.
   */
  readonly graph: Graph;
  /** Network evaluations for each sample, counted. */
  readonly nfe: number;
}

/** Dtypes and shapes of a network's parameters: as the tree of `Params`, or any tree where only that is known. */
export type ParametersSpec<Params extends ParameterTreeOf<Params>> = ParameterTree extends Params
  ? Tree<SpecLeaf>
  : MapLeaves<Params, HostArray, SpecLeaf>;

/** What the graph is to contain. */
export interface SampleGraphOptions {
  /** Number of samples. */
  readonly rows: number;
  readonly solver: FixedStepSolver;
  /** Strictly decreasing within [0, 1]. */
  readonly times: readonly number[];
  /** Take labels, int32 `[rows]`. */
  readonly label?: boolean;
  /** Conditions to take, by name: all that the network declares by default; those that are not optional have to be among them. */
  readonly conditions?: readonly string[];
  /** Take which rows have the optional ones of these, float32 `[rows]` each; by default every row has what is taken. */
  readonly present?: boolean;
  /** Take the guidance scale and interval as conditions of the network. */
  readonly condition?: boolean;
  /** Take a scale and an interval of classifier-free guidance. */
  readonly guidance?: boolean;
  /** What that guidance drops, as `ClassifierFreeGuidance` has it. */
  readonly drop?: readonly string[];
  /** What the samples go through in the end; nothing by default. */
  readonly decoder?: SampleDecoder;
}

/**
 * Traces a sampler.
 *
 * @param params parameters of the network, of which only dtypes and shapes are used
 * @throws {ArgumentError} when `times` is not a grid, or the network does not take what is asked for
 */
export function sampleGraph<Params extends ParameterTreeOf<Params>>(
  network: VelocityNetwork<Params>,
  params: ParametersSpec<Params>,
  options: SampleGraphOptions,
): SampleGraph {
  checkOptions<SampleGraphOptions>('sampleGraph', options, {
    rows: true,
    solver: true,
    times: true,
    label: true,
    conditions: true,
    present: true,
    condition: true,
    guidance: true,
    drop: true,
    decoder: true,
  });
  const { rows, solver, times, decoder } = options;
  checkGrid(times);
  const [begin, ...ends] = times;
  const specs = network.conditions ?? {};
  const names = options.conditions ?? Object.keys(specs);
  const given = Object.fromEntries(names.map((name) => [name, conditionSpec(specs, name, rows)]));
  const optional = options.present === true ? names.filter((name) => specs[name]?.optional) : [];
  const inputs = {
    params: params as Tree<SpecLeaf>,
    conditions: {
      ...(options.label ? { label: spec([rows], 'int32') } : {}),
      ...(names.length > 0 ? { conditions: given } : {}),
      ...(optional.length > 0
        ? { present: Object.fromEntries(optional.map((name) => [name, spec([rows])])) }
        : {}),
      ...(options.condition ? { omega: spec([]), tMin: spec([]), tMax: spec([]) } : {}),
      ...(options.guidance ? { guidance: { scale: spec([]), start: spec([]), end: spec([]) } } : {}),
    },
    drop: options.drop,
    values: { noise: spec([rows, ...network.featureShape]) },
    ...(decoder && { decoder: decoder.params }),
  };
  const { graph, evaluations } = traceField(
    network,
    `${solver.name}-sampler`,
    inputs,
    rows,
    (field, values, decoderParams = {}, { label }) => {
      const { noise } = pick(values, 'noise');
      let t = constant(begin);
      const nexts = ends.map((time) => constant(time));
      const { noiseScale = 1 } = network;
      let samples = noiseScale === 1 || begin !== 1 ? noise : mul(noiseScale, noise);
      for (const next of nexts) {
        samples = solver.step(field, samples, t, next);
        t = next;
      }
      const decoded = decoder === undefined ? samples : decoder.apply(decoderParams, samples);
      return { samples: ofClasses(decoded, label, network.classCount) };
    },
  );
  return { graph, nfe: evaluations };
}

function conditionSpec(specs: ConditionSpecs, name: string, rows: number): TensorSpec {
  const found = ownValue(specs, name);
  if (found !== undefined) return spec([rows, ...found.shape]);
  throw new ArgumentError(
    `sampleGraph: the network has no condition "${name}".${didYouMean(name, Object.keys(specs))}`,
  );
}

/** NaN where a label is no class, whatever the network makes of it: one beyond the last is its null class. */
function ofClasses(samples: Tensor, label: Tensor | undefined, classCount: number | undefined): Tensor {
  if (label === undefined || classCount === undefined) return samples;
  const isClass = logicalAnd(lessEqual(0, label), less(label, classCount));
  return where(
    reshape(
      isClass,
      samples.shape.map((size, axis) => (axis === 0 ? size : 1)),
    ),
    samples,
    NaN,
  );
}
