/**
 * How far float32 may drift over many steps: the procedure (a training run, a sampler) is carried out on the reference
 * interpreter, and again on several rounding backends, and a backend under test may be {@link SAFETY} times as far from the
 * reference as the farthest of those, tensor by tensor.
 */
import { referenceBackend, type Backend } from '@meanflow/core';
import { compare } from '../numerics/compare.js';
import { largestDistance, largestMagnitude } from '../numerics/magnitude.js';
import { roundingBackend } from '../numerics/rounding-backend.js';
import { SMALLEST_NORMAL, type Expectation, type NamedArrays } from '../numerics/tolerance.js';
import type { Finding } from './case.js';

/** Runs with random roundings. */
const RUNS = 4;
/** Few runs are drawn, so the factor is larger than for single graphs; the maximum over a tensor steadies it. */
const SAFETY = 4;

/** Something that a backend does, with arrays as its outcome. */
export type Procedure = (backend: Backend) => Promise<NamedArrays>;

/** A procedure's outcome on the reference, with tolerances; computed once and kept. */
export function driftOracle(procedure: Procedure): () => Promise<Readonly<Record<string, Expectation>>> {
  let known: Promise<Readonly<Record<string, Expectation>>> | undefined;
  return () => (known ??= expectedOutcome(procedure));
}

async function expectedOutcome(procedure: Procedure): Promise<Readonly<Record<string, Expectation>>> {
  const { exact, drift } = await observeDrift(procedure);
  return Object.fromEntries(
    Object.entries(exact).map(([name, value]) => [
      name,
      { value, tolerance: new Float64Array(value.size).fill(drift[name]!) },
    ]),
  );
}

/** A procedure's outcome on the reference, and by array how far float32 may be from it at any element. */
export async function observeDrift(
  procedure: Procedure,
): Promise<{ readonly exact: NamedArrays; readonly drift: Readonly<Record<string, number>> }> {
  const exact = await procedure(referenceBackend());
  const rounded: NamedArrays[] = [];
  for (let seed = 0; seed < RUNS; seed++) rounded.push(await procedure(roundingBackend(seed)));
  const drift = Object.entries(exact).map(([name, value]) => {
    const farthest = Math.max(...rounded.map((outcome) => largestDistance(outcome[name]!, value)));
    // The outcomes are read as float32, which hides drifts below half an ulp of the largest element.
    const resolution = 2 ** -24 * largestMagnitude(value);
    return [name, SAFETY * Math.max(farthest, resolution) + SMALLEST_NORMAL] as const;
  });
  return { exact, drift: Object.fromEntries(drift) };
}

/** Compares an outcome, tensor by tensor. */
export function compareOutcome(
  outcome: NamedArrays,
  expected: Readonly<Record<string, Expectation>>,
): Finding {
  let worst: Finding = { worst: 0 };
  for (const [name, expectation] of Object.entries(expected)) {
    const comparison = compare(name, outcome[name]!, expectation);
    if (comparison.worst > worst.worst!) worst = comparison;
  }
  return worst;
}
