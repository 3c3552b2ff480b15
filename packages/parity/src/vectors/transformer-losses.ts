/**
 * The cases `*-loss*`: every intermediate of an objective at given draws, and the gradient of the loss in every parameter, as
 * one executable.
 */
import { cast, sum, valueAndGrad, type Symbolic } from '@meanflow/core';
import type { ParameterTree } from '@meanflow/models';
import { dropLabels } from '@meanflow/models/published';
import { compareOutputs } from './compare-outputs.js';
import { compareParameters } from './compare-parameters.js';
import type { ParityRunner } from './parity-case.js';
import { publishedNetwork } from './published-network.js';
import { outputsBelow, runGraph } from './run-graph.js';
import { tolerances } from './tolerances.js';
import { transformerConfig, type TransformerFamily } from './transformer-config.js';
import { givenStep } from './transformer-draws.js';
import { publishedObjective } from './transformer-objectives.js';

/** The loss of MeanFlow, of improved MeanFlow or of pixel MeanFlow. */
export const transformerLoss =
  (family: TransformerFamily): ParityRunner =>
  async (given, backend) => {
    const { network, params, names } = publishedNetwork(given, transformerConfig(family, given));
    const objective = publishedObjective(family, given);
    const { batch, draws } = givenStep(given, family !== 'mf');
    const computed = await runGraph(
      backend,
      given.name,
      ({ params, batch, draws }) => {
        const [[, terms], gradient] = valueAndGrad(
          (at: Symbolic<ParameterTree>) => {
            const found = objective({ network, params: at, batch, draws });
            return [found.loss, found] as const;
          },
          { hasAux: true },
        )(params);
        const shown = {
          y_inp: dropLabels(batch.label, draws.dropped, network.classCount!),
          num_drop: sum(cast(draws.dropped, 'int32')),
        };
        return { terms: { ...terms, ...shown }, gradient };
      },
      { params, batch, draws },
    );
    return [
      ...compareOutputs(given, outputsBelow('terms', computed), tolerances.output),
      ...compareParameters(given, names, outputsBelow('gradient', computed), {
        whole: 'grad',
        norm: 'gradnorm',
        tolerance: tolerances.gradient,
      }),
    ];
  };
