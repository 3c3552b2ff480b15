/** Every case of the kit, in the order in which it is run: small graphs first, whole procedures last. */
import type { Case } from './case.js';
import { compositeCases } from './composites.js';
import { concurrencyCases } from './concurrency.js';
import { contractionCases } from './contractions.js';
import { derivativeCases } from './derivatives.js';
import { edgeCases } from './edges.js';
import { elementwiseSpecialCases } from './elementwise-special.js';
import { elementwiseCases } from './elementwise.js';
import { errorCases } from './errors.js';
import { lifetimeCases } from './lifetime.js';
import { limitCases } from './limits.js';
import { longTrainingCases } from './long-training.js';
import { programCaseOf, programCases, type ProgramOptions } from './programs.js';
import { reductionCases } from './reductions.js';
import { samplingCases } from './sampling.js';
import { shapingCases } from './shaping.js';
import { stateCases } from './state.js';
import { tailCases } from './tails.js';
import { trainingCases } from './training.js';

let made: readonly Case[] | undefined;

/**
 * The cases. Their ids are unique; making them traces and computes nothing. They are made once, so that what a procedure's
 * case knows of the reference is computed once for all backends.
 *
 * @param programs other random programs than the default ones
 */
export function conformanceCases(programs?: ProgramOptions): readonly Case[] {
  if (programs === undefined) return (made ??= casesWith(programCases()));
  const random = programCases(programs);
  const others = conformanceCases().filter(({ aspect }) => aspect !== 'programs');
  const place = others.findIndex(({ aspect }) => aspect === 'composites');
  return [...others.slice(0, place), ...random, ...others.slice(place)];
}

function casesWith(programs: readonly Case[]): readonly Case[] {
  return [
    ...elementwiseCases(),
    ...elementwiseSpecialCases(),
    ...reductionCases(),
    ...shapingCases(),
    ...contractionCases(),
    ...derivativeCases(),
    ...programs,
    ...compositeCases(),
    ...edgeCases(),
    ...tailCases(),
    ...limitCases(),
    ...lifetimeCases(),
    ...concurrencyCases(),
    ...errorCases(),
    ...stateCases(),
    ...samplingCases(),
    ...trainingCases(),
    ...longTrainingCases(),
  ];
}

/** The cases of some ids, in the order of the ids; those of random programs of any seed among them. */
export function casesOf(ids: readonly string[]): readonly Case[] {
  const known = new Map(conformanceCases().map((entry) => [entry.id, entry]));
  return ids.flatMap((id) => known.get(id) ?? programCaseOf(id) ?? []);
}
