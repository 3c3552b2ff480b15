/** The case `frechet`: Fréchet distances from statistics and features, and inception scores, in float64. */
import { DataError, type HostArray } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import {
  featureStatistics,
  frechetDistanceOfStatistics,
  inceptionScore,
  type FeatureStatistics,
} from '@meanflow/metrics';
import { compareNumber } from './compare-outputs.js';
import { at, tensorOf, type ParityCase, type ParityRunner, type TensorResult } from './parity-case.js';

/** Relative to tr Σ₁ + tr Σ₂ + ‖μ₁ − μ₂‖²: float64, through one eigenvalue decomposition or matrix root. */
const FULL_RANK = 1e-9;
/** Where eigenvalues vanish, the root of their rounding noise remains: √(2⁻⁵²) ≈ 1.5·10⁻⁸ each. */
const RANK_DEFICIENT = 1e-7;
/** Relative to the mean score: the published code takes the softmax of float32 logits in float32, 2⁻²⁴ for each step. */
const SCORE = 2 ** -22;

export const frechetCase: ParityRunner = async (given) => {
  const values = at(given.facts, ['values']);
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new DataError(`${given.name}.json: "values" must hold the published values.`);
  }
  return Object.entries(values).map(([name, wanted]) => {
    if (typeof wanted !== 'number') throw new DataError(`${given.name}.json: "values.${name}" is no number.`);
    return compareValue(given, name, wanted, values as Readonly<Record<string, unknown>>);
  });
};

function compareValue(
  given: ParityCase,
  name: string,
  wanted: number,
  values: Readonly<Record<string, unknown>>,
): TensorResult {
  if (name.startsWith('inception_score_')) {
    const { mean, std } = score(given);
    return compareNumber(name, name.endsWith('_mean') ? mean : std, wanted, SCORE * mean);
  }
  const kind = Object.keys(PAIRS).find((key) => name.startsWith(key));
  if (kind === undefined) throw new DataError(`${given.name}: nothing here computes "${name}".`);
  const [first, second] = PAIRS[kind]!(given);
  const scale = trace(first.covariance) + trace(second.covariance) + squaredDistance(first.mean, second.mean);
  // The floor is how far the published implementations are from one another.
  const siblings = Object.entries(values).filter(([other]) => other.startsWith(kind));
  const floor = Math.max(...siblings.map(([, value]) => Math.abs((value as number) - wanted)));
  const isFull = [first, second].every(({ covariance }) => isDefinite(covariance));
  const tolerance = (isFull ? FULL_RANK : RANK_DEFICIENT) * scale;
  return compareNumber(name, frechetDistanceOfStatistics(first, second), wanted, tolerance, floor);
}

type Pair = readonly [FeatureStatistics, FeatureStatistics];

/** The statistics behind a value, by the beginning of its name. */
const PAIRS: Readonly<Record<string, (given: ParityCase) => Pair>> = {
  XY: (given) => [featureStatistics(tensorOf(given, 'in/X')), featureStatistics(tensorOf(given, 'in/Y'))],
  self: (given) => [featureStatistics(tensorOf(given, 'in/X')), featureStatistics(tensorOf(given, 'in/X'))],
  // The first half as many rows as there are features.
  rankdef: (given) => {
    const x = tensorOf(given, 'in/X');
    return [
      featureStatistics(x.rows(0, Math.floor(x.shape[1]! / 2))),
      featureStatistics(tensorOf(given, 'in/Y')),
    ];
  },
  given_f32stats: (given) => [statistics(given, '1'), statistics(given, '2')],
};

function statistics(given: ParityCase, which: string): FeatureStatistics {
  return {
    mean: tensorOf(given, `in/mu${which}`).to('float64'),
    covariance: tensorOf(given, `in/sigma${which}`).to('float64'),
  };
}

function score(given: ParityCase) {
  const splits = at(given.facts, ['splits']);
  return inceptionScore(tensorOf(given, 'in/logits'), {
    order: tensorOf(given, 'in/is_permutation'),
    ...(typeof splits === 'number' && { splits }),
  });
}

/** Whether a covariance has full rank, to the rounding of the float32 numbers that it may come from: by Cholesky's pivots. */
function isDefinite({ data, shape }: HostArray<'float64'>): boolean {
  const [size] = leading(shape, 1);
  const factor = Float64Array.from(data);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = factor[i * size + j]!;
      for (let k = 0; k < j; k++) rest -= factor[i * size + k]! * factor[j * size + k]!;
      if (i === j && !(rest > size * 2 ** -24 * data[i * size + i]!)) return false;
      factor[i * size + j] = i === j ? Math.sqrt(rest) : rest / factor[j * size + j]!;
    }
  }
  return true;
}

function trace({ data, shape }: HostArray): number {
  let total = 0;
  for (let i = 0; i < shape[0]!; i++) total += data[i * (shape[0]! + 1)]!;
  return total;
}

function squaredDistance(a: HostArray, b: HostArray): number {
  let total = 0;
  for (let i = 0; i < a.size; i++) total += (a.data[i]! - b.data[i]!) ** 2;
  return total;
}
