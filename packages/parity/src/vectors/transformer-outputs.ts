/**
 * The cases `*-dit`: outputs of a network, its Jacobian–vector products along the tangents of MeanFlow, and a cotangent of its
 * output pulled back to its input. All of a case is one executable.
 */
import { constant, jvp, sub, vjp, type Symbolic, type Tensor } from '@meanflow/core';
import type { AnyNetwork, ParameterTree, VelocityInputs } from '@meanflow/models';
import { velocityFromData } from '@meanflow/samplers';
import { compareOutputs } from './compare-outputs.js';
import { tensorOf, type ParityCase, type ParityRunner } from './parity-case.js';
import { publishedNetwork } from './published-network.js';
import { runGraph } from './run-graph.js';
import { tolerances } from './tolerances.js';
import { transformerConfig } from './transformer-config.js';

type Velocities = { readonly u: Tensor; readonly v?: Tensor };
type VelocityFunction = (x: Tensor, t: Tensor, r: Tensor) => Velocities;

/** Tangents for (x, t, r). */
type Tangents = readonly [Tensor | 0, 0 | 1, 0 | 1];

/** MeanFlow's DiT. */
export const meanFlowOutputs: ParityRunner = async (given, backend) => {
  const { network, params } = publishedNetwork(given, transformerConfig('mf', given));
  const input = { params, ...inputsOf(given, ['x', 't', 'r', 'y', 'v', 'cotangent']) };
  const computed = await runGraph(
    backend,
    given.name,
    ({ params, x, t, r, y, v, cotangent }) => {
      const f = velocities(network, params, { label: y });
      const along = (tangents: Tangents) => derivative(f, [x, t, r], tangents).u;
      return {
        u: f(x, t, r).u,
        du_dt: along([v, 1, 0]),
        jvp_x_only: along([v, 0, 0]),
        jvp_t_only: along([0, 1, 0]),
        jvp_r_only: along([0, 0, 1]),
        vjp_x: pulledBack(f, x, t, r, cotangent),
      };
    },
    input,
  );
  return compareOutputs(given, computed, tolerances.output);
};

/** The networks of improved and of pixel MeanFlow, in the forms for training and for sampling. */
export const inContextOutputs =
  (family: 'imf' | 'pmf'): ParityRunner =>
  async (given, backend) => {
    const training = publishedNetwork(given, transformerConfig(family, given));
    const sampling = publishedNetwork(given, transformerConfig(family, given, 'sampling'));
    const names = ['x', 't', 'r', 'y', 'omega', 't_min', 't_max', 'v', 'cotangent'] as const;
    const input = { training: training.params, sampling: sampling.params, ...inputsOf(given, names) };
    const computed = await runGraph(
      backend,
      given.name,
      ({ x, t, r, y, omega, t_min: tMin, t_max: tMax, v, cotangent, ...params }) => {
        const conditions = { label: y, omega, tMin, tMax };
        const f = velocities(training.network, params.training, conditions);
        const both = derivative(f, [x, t, r], [v, 1, 0]);
        const sampled = velocities(sampling.network, params.sampling, conditions)(x, t, r);
        return {
          ...f(x, t, r),
          du_dt: both.u,
          dv_dt: both.v,
          jvp_x_only_u: derivative(f, [x, t, r], [v, 0, 0]).u,
          jvp_t_only_u: derivative(f, [x, t, r], [0, 1, 0]).u,
          eval_u: sampled.u,
          eval_v: sampled.v ?? withoutHead(sampling.network, x, t),
          vjp_x_of_u: pulledBack(f, x, t, r, cotangent),
        };
      },
      input,
    );
    return compareOutputs(given, computed, tolerances.output);
  };

/** The case's tensors `in/…`. */
function inputsOf<K extends string>(given: ParityCase, names: readonly K[]) {
  const entries = names.map((name) => [name, tensorOf(given, `in/${name}`)] as const);
  return Object.fromEntries(entries) as { readonly [N in K]: ReturnType<typeof tensorOf> };
}

function velocities(
  network: AnyNetwork,
  params: Symbolic<ParameterTree>,
  conditions: Pick<VelocityInputs, 'label' | 'omega' | 'tMin' | 'tMax'>,
): VelocityFunction {
  return (x, t, r) => ({ ...network.apply(params, { z: x, t, h: sub(t, r), ...conditions }) });
}

function derivative(
  f: VelocityFunction,
  at: readonly [Tensor, Tensor, Tensor],
  tangents: Tangents,
): Velocities {
  return jvp<[Tensor, Tensor, Tensor], Velocities>(f, at, tangents)[1];
}

/** The cotangent of u as a cotangent of x. */
function pulledBack(f: VelocityFunction, x: Tensor, t: Tensor, r: Tensor, cotangent: Tensor): Tensor {
  const [, pull] = vjp((at: Tensor) => f(at, t, r).u, [x]);
  return pull(cotangent)[0];
}

/** What the published code for sampling returns as v where it has no head for it: the velocity of data that are zero. */
function withoutHead({ smallestTime = 0 }: AnyNetwork, x: Tensor, t: Tensor): Tensor {
  return velocityFromData(x, constant(0), t, smallestTime);
}
