/**
 * The sampler: from noise to samples on a backend. It compiles one executable per number of rows and kind of
 * request, keeps the state on the device from step to step, splits large counts into chunks, and counts
 * network evaluations where they happen.
 */
import {
  ArgumentError,
  DisposedError,
  HostArray,
  spec,
  type Backend,
  type Precision,
  type RunInput,
  type Tree,
} from '@meanflow/core';
import { checkOptions, leading } from '@meanflow/core/validation';
import { adaptiveBodies, runAdaptive } from './adaptive-run.js';
import { fixedStepBody, runFixedSteps, type ChunkInputs, type ChunkResult } from './fixed-step-run.js';
import {
  compileProgram,
  conditionNames,
  type FieldFunction,
  type Program,
  type ProgramPhase,
  type SamplerInputs,
} from './program.js';
import { checkFinite, checkHalves, checkPrecision } from './precision.js';
import {
  conditionValues,
  takeParameters,
  takeRequest,
  type ParametersInput,
  type SampleRequest,
  type TakenRequest,
} from './sample-request.js';
import type { ParameterTree, ParameterTreeOf, VelocityNetwork } from './velocity-network.js';

/** What came of it. */
export interface SampleResult {
  /** float32 `[count, ...features]`: z at the last time. */
  readonly samples: HostArray<'float32'>;
  /**
   * Network evaluations for each sample, rejected steps and both halves of guidance included; averaged over
   * samples.
   */
  readonly nfe: number;
  /** Steps that an adaptive solver tried and did not accept, over all chunks. */
  readonly rejectedSteps: number;
  /** z at each of `times`, float32 `[count, ...features]` each, where it was asked for. */
  readonly trajectory: readonly HostArray<'float32'>[] | undefined;
}

/** Samples that are on the device together, and how they came about. */
export interface SampleChunk extends SampleResult {
  /** Which row of the request the first of them is. */
  readonly start: number;
  /** The rows of the request's labels. */
  readonly label: HostArray | undefined;
}

/** A network's sampler on one backend. Dispose of it to free its executables. */
export interface Sampler<Params extends ParameterTreeOf<Params>> {
  /**
   * Samples. What is asked for is taken at the call; calls may overlap.
   *
   * @throws {ArgumentError | ShapeError | DTypeError} when the request does not fit the network
   * @throws {DisposedError} after `dispose()`
   * @throws {MeanflowError} when an adaptive solver cannot reach its tolerance
   */
  sample(request: SampleRequest<Params>): Promise<SampleResult>;
  /**
   * Samples in chunks of the sampler's `batchSize`, each as soon as it is there: `for await (const chunk of
   * sampler.stream(request))`. The next is begun when it is asked for; between two of them nothing of the request is on
   * the device, so that a loop may be left at any chunk. What is asked for is taken at the call, which throws what
   * `sample` rejects with.
   */
  stream(request: SampleRequest<Params>): AsyncGenerator<SampleChunk, void, undefined>;
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SamplerOptions<Params extends ParameterTreeOf<Params> = ParameterTree> {
  /** Samples that are on the device at once, 4,096 by default. */
  readonly batchSize?: number;
  /**
   * Parameters that serve many requests: those that are made without any, or with this very tree. They are taken when the sampler is
   * made, and become constants of what it compiles, which a device may lay out for its matrix products once instead of at
   * every run: one step of a DiT of width 192 and 6 blocks (17 MB) at batch 1 took 2.8 ms instead of 9.0 on `ort:cpu`. Each
   * number of rows that is sampled at once has a program, with a copy of the matrices in it: 17 MB here.
   */
  readonly params?: ParameterTree extends Params ? Tree<HostArray> : Params;
  /**
   * What the network's products are computed in; float32 by default. In `float16` its norms, softmax and exponentials stay float32,
   * and so do guidance and the solver; `params` are given to the device as float16. Samples
   * that are not finite are an error then: there the network leaves float16's range. A device without float16 refuses.
   */
  readonly precision?: Precision;
  /** Lends `params`: the caller leaves their memory as it is until the sampler is disposed of. False by default. */
  readonly borrow?: boolean;
  /** Told what it is at: what it compiles for a request that needs it, and that it samples. */
  readonly onProgress?: ((progress: SamplerProgress) => void) | undefined;
}

/** What a sampler is at. */
export interface SamplerProgress {
  readonly phase: ProgramPhase | 'sampling';
  /** Since the first of its phases. */
  readonly seconds: number;
}

/** A sampler for `network` on `backend`. */
export function createSampler<Params extends ParameterTreeOf<Params>>(
  backend: Backend,
  network: VelocityNetwork<Params>,
  options: SamplerOptions<Params> = {},
): Sampler<Params> {
  checkOptions<SamplerOptions<Params>>('createSampler', options, {
    batchSize: true,
    params: true,
    borrow: true,
    onProgress: true,
    precision: true,
  });
  const { batchSize = 4096, borrow = false, precision = 'float32', onProgress } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new ArgumentError(`batchSize is a positive whole number, got ${batchSize}.`);
  }
  checkPrecision(precision);
  const settled =
    options.params === undefined ? undefined : takeParameters(options.params as Tree<HostArray>, borrow);
  if (precision === 'float16' && settled !== undefined) checkHalves(settled as Tree<HostArray>);
  const programs = new Map<string, Promise<Program>>();
  const identity = identities();
  let began: number | undefined;
  let latest: SamplerProgress['phase'] | undefined;
  const tell = (phase: SamplerProgress['phase']): void => {
    began ??= Date.now();
    if (phase !== latest) onProgress?.({ phase, seconds: (Date.now() - began) / 1000 });
    latest = phase;
  };
  let disposing: Promise<void> | undefined;
  const checkAlive = (): void => {
    if (disposing !== undefined) throw new DisposedError('sample: the sampler was disposed of.');
  };

  /** The program for this request and number of rows, compiled when first needed. */
  const program = (
    request: TakenRequest<Params>,
    conditions: SamplerInputs<RunInput>['conditions'],
    rows: number,
    body: FieldFunction,
    name: string,
    values: readonly string[],
    state: readonly string[] = [],
  ): Promise<Program> => {
    const { solver } = request;
    const traced =
      solver.kind === 'fixed'
        ? [identity(solver.step)]
        : [identity(solver.attempt), solver.relativeTolerance, solver.absoluteTolerance];
    const drop = request.guidance?.drop;
    const isSettled = request.params === settled;
    const key = JSON.stringify([
      ...[name, identity(solver), traced, rows, conditionNames(conditions), drop],
      isSettled,
    ]);
    // What is compiled from here on, nobody would dispose of.
    checkAlive();
    let found = programs.get(key);
    if (found === undefined) {
      const z = spec([rows, ...network.featureShape]);
      const typeOf = (value: string) => (value === 'z' || value === 'velocity' ? z : spec([]));
      const inputs = {
        params: request.params as Tree<RunInput>,
        conditions,
        drop,
        values: Object.fromEntries(values.map((value) => [value, typeOf(value)])),
      };
      const constants = isSettled ? (settled as Tree<HostArray> | undefined) : undefined;
      found = compileProgram(
        backend,
        network,
        `${solver.name}-${name}`,
        inputs,
        rows,
        body,
        state,
        constants,
        { precision, onPhase: tell },
      );
      programs.set(key, found);
      // A failed compilation is reported to the caller and forgotten.
      found.catch(() => programs.delete(key));
    }
    return found;
  };

  const runChunk = async (
    request: TakenRequest<Params>,
    start: number,
    end: number,
  ): Promise<ChunkResult> => {
    const { solver, times, trajectory = false, signal } = request;
    const conditions = conditionValues(request, start, end);
    const rows = end - start;
    // What was taken is the sampler's own, or was lent to it.
    const options = { borrow: true, ...(signal === undefined ? {} : { signal }) };
    const inputs: ChunkInputs = {
      noise: request.noise.rows(start, end),
      times,
      trajectory,
      options,
      run: (compiled, values) =>
        compiled.run({ params: request.params as Tree<RunInput>, conditions, values }, options),
    };
    if (solver.kind === 'fixed') {
      const body = fixedStepBody(solver);
      const step = await program(request, conditions, rows, body, 'step', ['z', 't', 'next'], ['z']);
      tell('sampling');
      return runFixedSteps(step, inputs);
    }
    const bodies = adaptiveBodies(solver);
    const all = ['z', 'velocity', 't', 'step'];
    const made = {
      start: await program(request, conditions, rows, bodies.start, 'start', ['z', 't']),
      probe: await program(request, conditions, rows, bodies.probe, 'probe', all),
      attempt: await program(request, conditions, rows, bodies.attempt, 'attempt', all),
    };
    tell('sampling');
    return runAdaptive(solver, made, inputs);
  };

  async function* inChunks(request: TakenRequest<Params>): AsyncGenerator<SampleChunk, void, undefined> {
    const { noise, label, trajectory, signal } = request;
    const [count] = leading(noise.shape, 1);
    for (let start = 0; start < count; start += batchSize) {
      signal?.throwIfAborted();
      const end = Math.min(count, start + batchSize);
      const { samples, states, evaluations, rejectedSteps } = await runChunk(request, start, end);
      if (precision === 'float16') checkFinite(samples);
      yield {
        start,
        samples,
        label: label?.rows(start, end),
        nfe: evaluations,
        rejectedSteps,
        trajectory: trajectory ? states : undefined,
      };
    }
  }

  // Not a generator itself: what is asked for is taken at the call, not when the first chunk is.
  const stream = (asked: SampleRequest<Params>): AsyncGenerator<SampleChunk, void, undefined> => {
    checkAlive();
    const isOwn = asked.params === undefined || (asked.params as unknown) === options.params;
    const own = isOwn ? (settled as ParametersInput<Params> | undefined) : undefined;
    return inChunks(takeRequest(network, asked, own));
  };

  const disposeAll = async (): Promise<void> => {
    const compiled = await Promise.allSettled(programs.values());
    programs.clear();
    for (const result of compiled) if (result.status === 'fulfilled') await result.value.dispose();
  };
  const dispose = (): Promise<void> => (disposing ??= disposeAll());

  return {
    async sample(asked) {
      const chunks: SampleChunk[] = [];
      let evaluations = 0;
      for await (const chunk of stream(asked)) {
        chunks.push(chunk);
        const [rows] = leading(chunk.samples.shape, 1);
        evaluations += chunk.nfe * rows;
      }
      const samples = HostArray.joinRows(chunks.map((chunk) => chunk.samples));
      return {
        samples,
        nfe: evaluations / leading(samples.shape, 1)[0],
        rejectedSteps: chunks.reduce((total, chunk) => total + chunk.rejectedSteps, 0),
        trajectory: chunks[0]?.trajectory?.map((_, i) =>
          HostArray.joinRows(chunks.flatMap(({ trajectory }) => trajectory?.[i] ?? [])),
        ),
      };
    },
    stream,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** A number for each object, the same for the same one: names do not tell solvers apart. */
function identities(): (object: object) => number {
  const known = new WeakMap<object, number>();
  let count = 0;
  return (object) => {
    if (!known.has(object)) known.set(object, count++);
    return known.get(object)!;
  };
}
