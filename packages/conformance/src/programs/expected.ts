/**
 * What a random program must give, from the float64 reference, and how far float32 may be from it. Before a backend is asked
 * the reference itself is: `simplify` and `prepare` must keep every value, and derivatives must agree with finite
 * differences. A program whose tolerance comes near its numbers says nothing, and is passed over.
 */
import { MeanflowError, trace, type Graph, type HostArray, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { interpret, prepare, simplify } from '@meanflow/core/backend';
import { specsOf } from '../cases/build.js';
import { DIFFERENCE_ERROR, directionalDerivative, STEP } from '../numerics/finite-differences.js';
import { largestDistance, largestMagnitude } from '../numerics/magnitude.js';
import { expectations, type Expectation, type NamedArrays } from '../numerics/tolerance.js';
import { emit, emitRuns, inputsOf, type Program } from './program.js';

/** The largest tolerance, relative to the largest number of an output or to 1, of a program that says something. */
const INFORMATIVE = 1e-2;
/** The error of float64 along another way of computing the same, relative to the largest number or to 1. */
const REORDERED = 1e-9;

export interface ExpectedProgram {
  readonly inputs: NamedArrays;
  /** Of every output of every run, by the names of `emitRuns`. */
  readonly outputs: Readonly<Record<string, Expectation>>;
}

/** A fault of core's, which every backend would share. */
export class CoreFault extends MeanflowError {
  override get name(): string {
    return 'CoreFault';
  }
}

/**
 * The expectation of a program; undefined for one that is ill-conditioned after all.
 *
 * @throws {CoreFault} when core contradicts itself
 */
export function expectedOf(program: Program): ExpectedProgram | undefined {
  const inputs = inputsOf(program);
  const { graph } = trace(
    (given: Readonly<Record<string, Tensor>>) => emitRuns(program, given),
    specsOf(inputs),
    { name: 'program' },
  );
  const exact = interpret(graph, inputs);
  if (!Object.values(exact).every(({ data }) => data.every((x) => Number.isFinite(x)))) return undefined;
  checkRewrites(graph, inputs, exact);
  if (program.mode !== 'value') checkDerivative(program, inputs, exact);
  const outputs = expectations(graph, inputs);
  return Object.values(outputs).every(isInformative) ? { inputs, outputs } : undefined;
}

function isInformative({ value, tolerance }: Expectation): boolean {
  const largest = tolerance.reduce((most, x) => Math.max(most, x), 0);
  return largest <= INFORMATIVE * Math.max(1, largestMagnitude(value));
}

function checkRewrites(graph: Graph, inputs: NamedArrays, exact: NamedArrays): void {
  const rewritten = {
    simplify: () => simplify(graph),
    'prepare without kernels': () => prepare(graph),
    'prepare with every kernel': () => prepare(graph, { hasKernel: () => true }),
  };
  for (const [what, rewrite] of Object.entries(rewritten)) {
    const changed = interpret(rewrite(), inputs);
    for (const [name, value] of Object.entries(exact))
      agree(`${what} changes "${name}"`, changed[name]!, value, REORDERED);
  }
}

/** The tangents, or ⟨gradient, direction⟩, beside differences of the program's values with two step sizes. */
function checkDerivative(program: Program, inputs: NamedArrays, exact: NamedArrays): void {
  const { mode } = program;
  const primal: Program = { ...program, mode: mode === 'gradient of the tangent' ? 'tangent' : 'value' };
  const primalInputs = Object.fromEntries(Object.keys(inputsOf(primal)).map((name) => [name, inputs[name]!]));
  const { graph } = trace(
    (given: Readonly<Record<string, Tensor>>) => emit(primal, given),
    specsOf(primalInputs),
    { name: 'primal' },
  );
  const direction = Object.fromEntries(
    Object.entries(inputsOf({ ...program, mode: 'tangent' })).flatMap(([name, array]) =>
      name.startsWith('dx') ? [[name.slice(1), array] as const] : [],
    ),
  );
  const [coarse, fine] = leading(
    [STEP, STEP / 2].map((step) => directionalDerivative(graph, primalInputs, direction, step)),
    2,
  );
  if (mode === 'tangent') {
    for (const name of Object.keys(exact).filter((found) => found.startsWith('dy'))) {
      const output = name.slice(1);
      agreeBeside(`the tangent "${name}"`, exact[name]!.data, coarse[output]!.data, fine[output]!.data);
    }
    return;
  }
  const along = (slopes: NamedArrays): number =>
    Object.entries(inputs).reduce((total, [name, c]) => {
      const output = mode === 'gradient' ? `y${name.slice(1)}` : `dy${name.slice(1)}`;
      return name.startsWith('c') ? total + dot(c, slopes[output]!) : total;
    }, 0);
  const gradient = Object.entries(direction).reduce(
    (total, [name, d]) => total + dot(d, exact[`g${name}`]!),
    0,
  );
  agreeBeside(`the ${mode} along a direction`, [gradient], [along(coarse)], [along(fine)]);
}

/** What two step sizes disagree by is the error of differences. */
function agreeBeside(
  what: string,
  got: ArrayLike<number>,
  coarse: ArrayLike<number>,
  fine: ArrayLike<number>,
): void {
  const numbers = Array.from(fine);
  const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const disagreement = numbers.reduce((most, x, i) => Math.max(most, Math.abs(x - coarse[i]!)), 0);
  const allowed = 2 ** 7 * DIFFERENCE_ERROR * largest + 4 * disagreement;
  const i = numbers.findIndex((x, k) => !(Math.abs(got[k]! - x) <= allowed));
  if (i < 0) return;
  throw new CoreFault(
    `${what} is ${got[i]}, by finite differences ${numbers[i]} ± ${allowed.toPrecision(3)}`,
  );
}

function dot(a: HostArray, b: HostArray): number {
  let total = 0;
  for (let i = 0; i < a.size; i++) total += a.data[i]! * b.data[i]!;
  return total;
}

function agree(what: string, got: HostArray, wanted: HostArray, error: number): void {
  const distance = largestDistance(got, wanted);
  const allowed = error * Math.max(1, largestMagnitude(wanted));
  if (!(distance <= allowed)) throw new CoreFault(`${what}: it is off by ${distance}, ${allowed} is allowed`);
}
