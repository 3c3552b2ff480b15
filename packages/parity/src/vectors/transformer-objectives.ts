/** The objectives of the transformer cases: the terms of their losses, by the project's own code, under published names. */
import { add, DataError, mean, mul, sizeOf, type LossInputs, type Tensor } from '@meanflow/core';
import type { AnyNetwork, ParameterTree, TrainingBatch, VelocityDraws } from '@meanflow/models';
import { improvedMeanFlowTerms, meanFlowTerms } from '@meanflow/models/published';
import type { ParityCase } from './parity-case.js';
import { improvedMeanFlowMethod, meanFlowMethod, type TransformerFamily } from './transformer-config.js';

/** The terms of a loss, with the loss among them. */
type Terms = Readonly<Record<string, Tensor>> & { readonly loss: Tensor };

/** An objective as a case has it. */
export type PublishedObjective = (
  given: Omit<LossInputs<AnyNetwork, ParameterTree, TrainingBatch, VelocityDraws>, 'references'>,
) => Terms;

export function publishedObjective(family: TransformerFamily, given: ParityCase): PublishedObjective {
  return family === 'mf' ? meanFlowObjective(given) : improvedMeanFlowObjective(given);
}

const meanFlowObjective =
  (given: ParityCase): PublishedObjective =>
  (inputs) => {
    const terms = meanFlowTerms(meanFlowMethod(given), inputs);
    return {
      loss: terms.loss,
      z_t: terms.z,
      v: terms.v,
      v_g: terms.guidedVelocity,
      u: terms.u,
      du_dt: terms.dudt,
      u_tgt: terms.target,
      raw_loss: terms.squaredError,
      weighted_loss: terms.weightedError,
      v_loss: terms.velocityError,
    };
  };

/** Improved MeanFlow's, which is pixel MeanFlow's too. */
const improvedMeanFlowObjective =
  (given: ParityCase): PublishedObjective =>
  (inputs) => {
    const terms = improvedMeanFlowTerms(improvedMeanFlowMethod(given), inputs);
    const { head } = terms;
    if (head === undefined) throw new DataError(`${given.name}: the network has no velocity head.`);
    const pixels = sizeOf(inputs.network.featureShape);
    return {
      loss: terms.loss,
      z_t: terms.z,
      v_t: terms.v,
      v_g: terms.guidedVelocity,
      v_c: terms.tangent,
      u: terms.u,
      du_dt: terms.dudt,
      V: terms.compound,
      v: head.v,
      raw_loss_u: terms.squaredError,
      raw_loss_v: head.squaredError,
      weighted_loss_u: terms.weightedError,
      weighted_loss_v: head.weightedError,
      weighted_loss: add(terms.weightedError, head.weightedError),
      // Published as means over all elements.
      loss_u: mul(mean(terms.squaredError), 1 / pixels),
      loss_v: mul(mean(head.squaredError), 1 / pixels),
    };
  };
