/**
 * Batches and draws of the transformer cases, in place of what the objectives would draw themselves: everything random is
 * among a case's tensors.
 */
import { DataError, type HostArray } from '@meanflow/core';
import type { TrainingBatch, VelocityDraws } from '@meanflow/models';
import { droppedFromRaw } from '@meanflow/models/published';
import { numberOr, tensorOf, type ParityCase } from './parity-case.js';

/** A training step's inputs. */
export interface GivenStep {
  readonly batch: TrainingBatch & { readonly label: HostArray<'int32'> };
  readonly draws: VelocityDraws & { readonly dropped: HostArray<'bool'> };
}

/**
 * @param guided whether guidance scale and interval are among the draws
 * @param step of a case that holds several, along the first axis of every tensor
 */
export function givenStep(given: ParityCase, guided: boolean, step?: number): GivenStep {
  const input = (name: string): HostArray => {
    const all = tensorOf(given, `in/${name}`);
    if (step === undefined) return all;
    if (all.shape.length === 0 || step >= all.shape[0]!) {
      throw new DataError(`${given.name}: "in/${name}" has no step ${step}.`);
    }
    return all.rows(step, step + 1).reshape(all.shape.slice(1));
  };
  const floats = (name: string) => input(name).to('float32');
  const probability = numberOr(given, 0.1, 'method', 'class_dropout_prob');
  return {
    batch: { x: floats('img'), label: input('labels').to('int32') },
    draws: {
      noise: floats('e'),
      t: floats('t'),
      r: floats('r'),
      dropped: droppedFromRaw({ probability, rows: 'first' }, input('drop_uniform')),
      ...(guided ? { omega: floats('omega'), tMin: floats('t_min'), tMax: floats('t_max') } : {}),
    },
  };
}
