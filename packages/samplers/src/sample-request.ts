/**
 * SampleRequest: what is asked of a sampler, and how it is taken: checked where a device would not notice that it is
 * wrong, and copied, so that the caller may go on with its arrays at once.
 */
import {
  ArgumentError,
  DTypeError,
  HostArray,
  isDeviceArray,
  sameShape,
  ShapeError,
  treeFlatten,
  type CancellationSignal,
  type MapLeaves,
  type RunInput,
  type Tree,
} from '@meanflow/core';
import {
  checkConditions,
  checkLabels,
  checkOptions,
  describeValue,
  leading,
  toHostArray,
} from '@meanflow/core/validation';
import { droppedByGuidance } from './conditions.js';
import { checkGrid, type TimeGrid } from './grid.js';
import { scalar, type SamplerInputs } from './program.js';
import type { Solver } from './solvers/solver.js';
import type { ParameterTree, ParameterTreeOf, VelocityNetwork } from './velocity-network.js';

/** Guidance scale and interval, as improved MeanFlow's network takes them. */
export interface GuidanceCondition {
  /** ω, above 0; 1 is no guidance. */
  readonly omega: number;
  /** Guidance applies from here, 0 by default, … */
  readonly tMin?: number | undefined;
  /** … to here, 1 by default; 0 ≤ tMin ≤ tMax ≤ 1. */
  readonly tMax?: number | undefined;
}

/** Classifier-free guidance: v_u + ω (v_c − v_u), at twice the evaluations; u is without what is dropped. */
export interface ClassifierFreeGuidance {
  /** ω; 1 is no guidance. */
  readonly scale: number;
  /** Applied at times t with start ≤ t ≤ end, within [0, 1]; always by default. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /**
   * What is dropped: `label`, or optional conditions by name. All of these that are given by default.
   */
  readonly drop?: readonly string[] | undefined;
}

/** A network's parameters as a run takes them: the tree of `Params`, or any tree where only that is known. */
export type ParametersInput<Params extends ParameterTreeOf<Params>> = ParameterTree extends Params
  ? Tree<RunInput>
  : MapLeaves<Params, HostArray, RunInput>;

/** What to sample. */
export interface SampleRequest<Params extends ParameterTreeOf<Params>> {
  /** May be left out where the sampler's own are settled (`SamplerOptions.params`). */
  readonly params?: ParametersInput<Params>;
  /**
   * float `[count, ...features]`: standard normal noise where `times[0]` is 1, which is multiplied by the network's
   * `noiseScale`; z at `times[0]` otherwise, which is taken as it is.
   */
  readonly noise: HostArray;
  readonly solver: Solver;
  /**
   * Strictly decreasing within [0, 1]. An adaptive solver passes through each and chooses its own steps
   * between.
   */
  readonly times: readonly number[];
  /** int32 `[count]`, each from 0 and below the network's `classCount`; without labels, no class. */
  readonly label?: HostArray | undefined;
  /** What the network declares, float32 `[count, ...shape]` each; optional ones may be left out. */
  readonly conditions?: Readonly<Record<string, HostArray>> | undefined;
  /** Which rows have an optional condition: float32 `[count]`, 1 or 0; by default every row has those that are given. */
  readonly present?: Readonly<Record<string, HostArray>> | undefined;
  readonly condition?: GuidanceCondition | undefined;
  readonly guidance?: ClassifierFreeGuidance | undefined;
  /** Return z at every time of the grid as well. */
  readonly trajectory?: boolean;
  readonly signal?: CancellationSignal;
  /**
   * Lends parameters, noise, labels and conditions: the caller leaves their memory as it is until the samples are there, and they are
   * not copied. False by default. Worth it for large networks, whose parameters would lie in memory twice.
   */
  readonly borrow?: boolean;
}

/** A request in memory of its own, whose noise is scaled. */
export interface TakenRequest<Params extends ParameterTreeOf<Params>> extends SampleRequest<Params> {
  readonly params: ParametersInput<Params>;
  readonly times: TimeGrid;
  readonly noise: HostArray<'float32'>;
}

/**
 * A request as it is at the call, in memory of its own (or lent), with the noise scaled.
 *
 * @param settled parameters that were taken before, and stand in the place of the request's
 * @throws {ArgumentError | ShapeError | DTypeError} when it does not fit the network
 */
export function takeRequest<Params extends ParameterTreeOf<Params>>(
  network: VelocityNetwork<Params>,
  request: SampleRequest<Params>,
  settled?: ParametersInput<Params>,
): TakenRequest<Params> {
  checkOptions<SampleRequest<Params>>('sample', request, {
    params: true,
    noise: true,
    solver: true,
    times: true,
    label: true,
    conditions: true,
    present: true,
    condition: true,
    guidance: true,
    trajectory: true,
    signal: true,
    borrow: true,
  });
  const { times, condition, guidance, borrow = false } = request;
  checkGrid(times);
  const noise = startOf(network, request, borrow);
  const [rows] = leading(noise.shape, 1);
  const label = labelsOf(network, request.label, rows);
  const conditions = takeRecord('conditions', request.conditions, borrow);
  const present = takeRecord('present', request.present, borrow);
  checkConditions('sample', { conditions, present }, network.conditions, rows);
  checkCondition(network, condition);
  checkGuidance(network, guidance, { label, conditions });
  const params: unknown = settled ?? takeParameters(request.params as Tree<RunInput> | undefined, borrow);
  return {
    ...request,
    params: params as ParametersInput<Params>,
    noise,
    label: label && (borrow ? label : label.clone()),
    conditions,
    present,
    times: [...times],
    condition: condition && { ...condition },
    guidance: guidance && { ...guidance, ...(guidance.drop && { drop: [...guidance.drop] }) },
  };
}

/** Arrays by name, in memory of their own unless they are lent; undefined where there is none. */
function takeRecord(
  what: string,
  given: Readonly<Record<string, HostArray>> | undefined,
  borrow: boolean,
): Readonly<Record<string, HostArray>> | undefined {
  if (given === undefined) return undefined;
  const entries = Object.entries(given).map(([name, value]): [string, HostArray] => {
    const array = toHostArray(value);
    if (array === undefined) {
      throw new DTypeError(`${what}.${name} is a HostArray float32[count, …], got ${describeValue(value)}.`);
    }
    return [name, borrow ? array : array.clone()];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Parameters in memory of their own, or lent. @throws {ArgumentError} when there are none, or a leaf is no array */
export function takeParameters(params: Tree<RunInput> | undefined, borrow: boolean): Tree<RunInput> {
  if (params === undefined) {
    throw new ArgumentError(
      'sample: there are no params: give them with the request, or settle them for all by createSampler(…, { params }).',
    );
  }
  const { leaves, structure } = treeFlatten<RunInput>(params);
  const taken = leaves.map((leaf, i) => {
    const array = toHostArray(leaf);
    if (array !== undefined) return borrow ? array : array.clone();
    if (isDeviceArray(leaf)) return leaf;
    throw new ArgumentError(
      `params: "${structure.paths[i]}" is ${describeValue(leaf)}, neither a HostArray nor a device array.`,
    );
  });
  return structure.unflatten<RunInput>(taken);
}

/** Where sampling starts: z at the first time, float32. */
function startOf<Params extends ParameterTreeOf<Params>>(
  { featureShape, noiseScale = 1 }: VelocityNetwork<Params>,
  { noise: given, times }: SampleRequest<Params>,
  borrow: boolean,
): HostArray<'float32'> {
  const noise = toHostArray(given);
  if (noise === undefined || !noise.dtype.startsWith('float')) {
    throw new DTypeError(
      `noise is a HostArray float32[count, ${featureShape.join(', ')}], got ${describeValue(given)}.`,
    );
  }
  const [count = 0] = noise.shape;
  if (count < 1 || !sameShape(noise.shape.slice(1), featureShape)) {
    throw new ShapeError(
      `noise must be [count, ${featureShape.join(', ')}] with count ≥ 1, got [${noise.shape.join(', ')}].`,
    );
  }
  const start = noise.to('float32');
  if (times[0] === 1 && noiseScale !== 1) {
    return new HostArray(
      'float32',
      start.shape,
      Float32Array.from(start.data, (x) => noiseScale * x),
    );
  }
  return start === noise && !borrow ? start.clone() : start;
}

function labelsOf(
  { classCount }: Pick<VelocityNetwork, 'classCount'>,
  given: HostArray | undefined,
  rows: number,
): HostArray | undefined {
  if (given === undefined) return undefined;
  if (classCount === undefined) throw new ArgumentError('The network takes no labels.');
  const label = toHostArray(given);
  checkLabels('label', label ?? given, { classCount, rows });
  return label;
}

function checkCondition(
  { takesGuidance }: Pick<VelocityNetwork, 'takesGuidance'>,
  condition: GuidanceCondition | undefined,
): void {
  if (condition === undefined) return;
  checkOptions<GuidanceCondition>('sample: condition', condition, { omega: true, tMin: true, tMax: true });
  if (!takesGuidance) {
    throw new ArgumentError(
      'The network takes no guidance scale as a condition; use classifier-free guidance, or none.',
    );
  }
  const { omega, tMin = 0, tMax = 1 } = condition;
  if (!(omega > 0 && omega < Infinity)) {
    throw new ArgumentError(`condition.omega is a guidance scale above 0, and 1 for none; got ${omega}.`);
  }
  checkInterval('condition needs 0 ≤ tMin ≤ tMax ≤ 1', tMin, tMax);
}

function checkGuidance(
  network: Pick<VelocityNetwork, 'classCount' | 'conditions'>,
  guidance: ClassifierFreeGuidance | undefined,
  given: Parameters<typeof droppedByGuidance>[1],
): void {
  if (guidance === undefined) return;
  checkOptions<ClassifierFreeGuidance>('sample: guidance', guidance, {
    scale: true,
    start: true,
    end: true,
    drop: true,
  });
  droppedByGuidance(network, given, guidance.drop);
  const { scale, start = 0, end = 1 } = guidance;
  if (!Number.isFinite(scale)) throw new ArgumentError(`guidance.scale is a finite number, got ${scale}.`);
  checkInterval('guidance needs 0 ≤ start ≤ end ≤ 1', start, end);
}

function checkInterval(rule: string, start: number, end: number): void {
  if (start >= 0 && start <= end && end <= 1) return;
  throw new ArgumentError(`${rule}, got [${start}, ${end}].`);
}

/** The conditions of rows `[start, end)`, as inputs of a sampler's graph. */
export function conditionValues<Params extends ParameterTreeOf<Params>>(
  { label, conditions, present, condition, guidance }: SampleRequest<Params>,
  start: number,
  end: number,
): SamplerInputs<RunInput>['conditions'] {
  return {
    ...(label === undefined ? {} : { label: label.rows(start, end) }),
    ...(conditions && { conditions: rowsOf(conditions, start, end) }),
    ...(present && { present: rowsOf(present, start, end) }),
    ...(condition === undefined
      ? {}
      : {
          omega: scalar(condition.omega),
          tMin: scalar(condition.tMin ?? 0),
          tMax: scalar(condition.tMax ?? 1),
        }),
    ...(guidance === undefined
      ? {}
      : {
          guidance: {
            scale: scalar(guidance.scale),
            start: scalar(guidance.start ?? 0),
            end: scalar(guidance.end ?? 1),
          },
        }),
  };
}

function rowsOf(
  arrays: Readonly<Record<string, HostArray>>,
  start: number,
  end: number,
): Readonly<Record<string, HostArray>> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.rows(start, end)]));
}
