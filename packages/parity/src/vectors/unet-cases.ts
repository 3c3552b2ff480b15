/**
 * The cases `unet-fwd` and `unet-loss`: the U-Net's outputs, its Jacobian–vector product and a pulled-back cotangent; every
 * term of MeanFlow's loss as the CIFAR-10 code has it, and the gradient in every parameter. Each case is one executable.
 */
import {
  full,
  jvp,
  sub,
  valueAndGrad,
  vjp,
  type HostArray,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import type { MeanFlowConfig, ParameterTree } from '@meanflow/models';
import { meanFlowTerms } from '@meanflow/models/published';
import { compareOutputs } from './compare-outputs.js';
import { compareParameters } from './compare-parameters.js';
import { numberOr, tensorOf, type ParityCase, type ParityRunner } from './parity-case.js';
import { runGraph } from './run-graph.js';
import { tolerances } from './tolerances.js';
import { unetOfCase } from './unet-network.js';

/** Outputs with and without augmentation labels, and one step from noise. */
export const unetOutputs: ParityRunner = async (given, backend) => {
  const { network, params } = unetOfCase(given);
  const floats = (name: string) => tensorOf(given, `in/${name}`).to('float32');
  const input = {
    params,
    z: floats('z'),
    t: floats('t'),
    r: floats('r'),
    v: floats('v'),
    cotangent: floats('cotangent'),
    ...augmentation(given),
  };
  const computed = await runGraph(
    backend,
    given.name,
    ({ params, z, t, r, v, cotangent, ...labels }) => {
      const at = (augment: Tensor | undefined) => (z: Tensor, t: Tensor, r: Tensor) =>
        network.apply(params, { z, t, h: sub(t, r), augment }).u;
      const [told, untold] = [at(labels.augment), at(undefined)];
      const [u, dudt] = jvp(told, [z, t, r], [v, 1, 0]);
      const [uNone, dudtNone] = jvp(untold, [z, t, r], [v, 1, 0]);
      return {
        u,
        du_dt: dudt,
        u_noaug: uNone,
        du_dt_noaug: dudtNone,
        sample_1step: sub(z, untold(z, full(t.shape, 1), full(t.shape, 0))),
        vjp_z: vjp((z: Tensor) => told(z, t, r), [z])[1](cotangent)[0],
      };
    },
    input,
  );
  return compareOutputs(given, computed, tolerances.output);
};

/** MeanFlow's loss of the CIFAR-10 code: unconditional, the interval not limited. */
export const unetLoss: ParityRunner = async (given, backend) => {
  const { network, params, names } = unetOfCase(given);
  const config: MeanFlowConfig = {
    kind: 'meanflow',
    weight: {
      power: numberOr(given, 0.75, 'method', 'norm_p'),
      epsilon: numberOr(given, 1e-3, 'method', 'norm_eps'),
    },
    clipInterval: false,
  };
  const floats = (name: string) => tensorOf(given, `in/${name}`).to('float32');
  const batch = { x: floats('x'), ...augmentation(given) };
  const draws = { noise: floats('e'), t: floats('t'), r: floats('r') };
  const computed = await runGraph(
    backend,
    given.name,
    ({ params, batch, draws }) => {
      const [[, terms], gradient] = valueAndGrad(
        (at: Symbolic<ParameterTree>) => {
          const terms = meanFlowTerms(config, { network, params: at, batch, draws });
          return [terms.loss, terms] as const;
        },
        { hasAux: true },
      )(params);
      const { loss, z, v, u, dudt, target, squaredError, weightedError } = terms;
      return {
        terms: {
          loss,
          z,
          v,
          u,
          du_dt: dudt,
          u_tgt: target,
          raw_loss: squaredError,
          weighted_loss: weightedError,
        },
        gradient,
      };
    },
    { params, batch, draws },
  );
  return [
    ...compareOutputs(given, below(computed, 'terms'), tolerances.output),
    ...compareParameters(given, names, below(computed, 'gradient'), {
      whole: 'grad',
      norm: 'gradnorm',
      tolerance: tolerances.unetGradient,
    }),
  ];
};

/** Augmentation labels, where the case has them. */
function augmentation({ tensors }: ParityCase): { readonly augment?: HostArray<'float32'> } {
  const given = tensors['in/aug'];
  return given === undefined ? {} : { augment: given.to('float32') };
}

function below(all: Readonly<Record<string, HostArray>>, prefix: string): Record<string, HostArray> {
  const found = Object.entries(all).filter(([path]) => path.startsWith(`${prefix}/`));
  return Object.fromEntries(found.map(([path, array]) => [path.slice(prefix.length + 1), array]));
}
