/** The classifier's objective: the cross-entropy between the softmax of its logits and the label, meant over the batch. */
import {
  argMax,
  cast,
  equal,
  exp,
  log,
  max,
  mean,
  mul,
  oneHot,
  stopGradient,
  sub,
  sum,
  type HostArray,
  type Objective,
  type Tensor,
} from '@meanflow/core';
import type { ClassifierNetwork, ClassifierParameters } from './network.js';

/** Images with their classes. */
export interface LabelledImages {
  /** float32 `[batch, ...image]`, from −1 to 1. */
  readonly x: HostArray<'float32'>;
  /** int32 `[batch]` */
  readonly label: HostArray<'int32'>;
}

/** Nothing is drawn. */
type NoDraws = Readonly<Record<string, never>>;

/** Mean cross-entropy in nats, with the share of right classes as a metric. */
export const crossEntropy: Objective<ClassifierNetwork, ClassifierParameters, LabelledImages, NoDraws> = {
  name: 'cross-entropy',
  draw: () => ({}),
  loss: ({ network, params, batch: { x, label } }) => {
    const { logits } = network.apply(params, x);
    return {
      loss: mean(negativeLogLikelihood(logits, label)),
      metrics: { accuracy: mean(cast(equal(argMax(logits), label), 'float32')) },
    };
  },
};

/** −log softmax(logits)[label], `[batch]`; shifted by the largest logit, so that no exponential overflows. */
function negativeLogLikelihood(logits: Tensor, label: Tensor): Tensor {
  const shifted = sub(logits, stopGradient(max(logits, -1, { keepDims: true })));
  const chosen = sum(mul(shifted, oneHot(label, logits.shape[1]!)), -1);
  return sub(log(sum(exp(shifted), -1)), chosen);
}
