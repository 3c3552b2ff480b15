/**
 * Every case of the kit, in the order in which it is run: small graphs first, whole procedures last. Who has cases of his own
 * gives them beside.
 */
import { ArgumentError } from '@meanflow/core';
import type { Case } from './case.js';
import { compositeCases } from './composites.js';
import { concurrencyCases } from './concurrency.js';
import { contractionCases } from './contractions.js';
import { derivativeCases } from './derivatives.js';
import { edgeCases } from './edges.js';
import { elementwiseSpecialCases } from './elementwise-special.js';
import { elementwiseCases } from './elementwise.js';
import { errorCases } from './errors.js';
import { float16Cases } from './float16.js';
import { lifetimeCases } from './lifetime.js';
import { limitCases } from './limits.js';
import { programCaseOf, programCases, type ProgramOptions } from './programs.js';
import { reductionCases } from './reductions.js';
import { shapingCases } from './shaping.js';
import { stateCases } from './state.js';
import { tailCases } from './tails.js';
import { tieCases } from './ties.js';
import { trainingCases } from './training.js';

/** Which cases there are. */
export interface CaseOptions {
  /** Other random programs than the default ones. */
  readonly programs?: ProgramOptions;
  /** Further cases, behind the kit's own: such as `modelCases()` of `@meanflow/parity`, or those of an op that is yours. */
  readonly cases?: readonly Case[];
}

let made: readonly Case[] | undefined;

/**
 * The cases. Their ids are unique; making them traces and computes nothing. The kit's own are made once, so that what a
 * procedure's case knows of the reference is computed once for all backends.
 *
 * @throws {ArgumentError} when two have one id
 */
export function conformanceCases({ programs, cases: further = [] }: CaseOptions = {}): readonly Case[] {
  const own = programs === undefined ? (made ??= casesWith(programCases())) : withPrograms(programs);
  if (further.length === 0) return own;
  const all = [...own, ...further];
  const ids = new Set<string>();
  const twice = all.find(({ id }) => ids.size === ids.add(id).size);
  if (twice === undefined) return all;
  throw new ArgumentError(`Two cases have the id "${twice.id}"; name yours after what it is about.`);
}

function withPrograms(programs: ProgramOptions): readonly Case[] {
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
    ...tieCases(),
    ...tailCases(),
    ...limitCases(),
    ...float16Cases(),
    ...lifetimeCases(),
    ...concurrencyCases(),
    ...errorCases(),
    ...stateCases(),
    ...trainingCases(),
  ];
}

/**
 * The cases of some ids, in the order of the ids; those of random programs of any seed among them.
 *
 * @param further cases that are not the kit's own
 * @throws {ArgumentError} when there is no such case
 */
export function casesOf(ids: readonly string[], further: readonly Case[] = []): readonly Case[] {
  const known = new Map(conformanceCases({ cases: further }).map((entry) => [entry.id, entry]));
  return ids.map((id) => {
    const found = known.get(id) ?? programCaseOf(id);
    if (found !== undefined) return found;
    throw new ArgumentError(
      `The kit has no case "${id}". Where a backend is served to another process, both sides are given the same \`cases\`.`,
    );
  });
}
