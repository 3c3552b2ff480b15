/** Cases of the conformance kit that use our own networks, objectives, samplers and trainer, in the order in which they are run. */
import type { Case } from '@meanflow/conformance';
import { longTrainingCases } from './long-training.js';
import { resumptionCases } from './resumption.js';
import { samplingCases } from './sampling.js';
import { trainingCases } from './training.js';

let made: readonly Case[] | undefined;

/**
 * The cases, to be given to the kit as `cases`: train steps of every objective, one by one and several in a run, and 200 with
 * samples of the outcome; every solver, guidance, trajectories and chunks; training that is begun again. They are made once, so
 * that what they know of the reference is computed once for all backends.
 */
export function modelCases(): readonly Case[] {
  return (made ??= [...resumptionCases(), ...samplingCases(), ...trainingCases(), ...longTrainingCases()]);
}
