/** Samplers: every solver, guidance of both kinds, trajectories and chunks, against the reference; and their cancellation. */
import { BackendError, hostArray, RandomKey, type Backend } from '@meanflow/core';
import {
  averageVelocity,
  createSampler,
  dormandPrince,
  euler,
  heun,
  midpoint,
  rk4,
  uniformGrid,
  type SampleRequest,
} from '@meanflow/samplers';
import type { BehaviourCase } from '@meanflow/conformance';
import {
  behaviour,
  compareOutcome,
  driftOracle,
  expect,
  type NamedArrays,
} from '@meanflow/conformance/cases';
import { guidedNetwork, smallKey, smallNetwork } from './small-model.js';

type Network = ReturnType<typeof smallNetwork>;
type Request = SampleRequest<ReturnType<Network['init']>>;

const COUNT = 6;
const noise = () => RandomKey.fromSeed(5).normal([COUNT, 2]);
const label = () => hostArray(Int32Array.of(0, 1, 2, 2, 1, 0), { dtype: 'int32' });

interface Row {
  readonly variant: string;
  readonly network?: () => Network;
  readonly batchSize?: number;
  readonly request: Pick<Request, 'solver' | 'times'> & Partial<Request>;
}

const ROWS: readonly Row[] = [
  { variant: 'average velocity, 1 step', request: { solver: averageVelocity, times: [1, 0] } },
  { variant: 'average velocity, 4 steps with labels', request: { solver: averageVelocity, times: uniformGrid(4), label: label() } },
  {
    variant: 'average velocity, 2 steps of a guided network',
    network: guidedNetwork,
    request: { solver: averageVelocity, times: [1, 0.5, 0], label: label(), condition: { omega: 3, tMin: 0.2, tMax: 0.8 } },
  },
  { variant: 'euler, 8 steps with a trajectory', request: { solver: euler, times: uniformGrid(8), trajectory: true } },
  {
    variant: 'heun, 4 steps with classifier-free guidance',
    request: { solver: heun, times: uniformGrid(4), label: label(), guidance: { scale: 2, start: 0.3, end: 0.9 } },
  },
  { variant: 'midpoint, 3 steps in chunks of 4', batchSize: 4, request: { solver: midpoint, times: uniformGrid(3) } },
  { variant: 'rk4, 2 steps', request: { solver: rk4, times: uniformGrid(2) } },
  { variant: 'dormand-prince', request: { solver: dormandPrince({ relativeTolerance: 1e-3, absoluteTolerance: 1e-3 }), times: [1, 0] } },
]; // prettier-ignore

/** All of them. */
export function samplingCases(): BehaviourCase[] {
  return [...ROWS.map(rowCase), abortCase()];
}

function rowCase(row: Row): BehaviourCase {
  const oracle = driftOracle((backend) => sampleOn(backend, row));
  return behaviour('sampler', 'sampling', row.variant, async (backend) =>
    compareOutcome(await sampleOn(backend, row), await oracle()),
  );
}

async function sampleOn(backend: Backend, row: Row): Promise<NamedArrays> {
  const { network = smallNetwork, request } = row;
  const model = network();
  const sampler = createSampler(backend, model, { batchSize: row.batchSize ?? COUNT });
  try {
    const params = model.init(smallKey());
    const { samples, nfe, trajectory = [] } = await sampler.sample({ params, noise: noise(), ...request });
    const steps = trajectory.map((z, i) => [`z at time ${i}`, z] as const);
    return { samples, 'network evaluations': hostArray([nfe]), ...Object.fromEntries(steps) };
  } finally {
    await sampler.dispose();
  }
}

function abortCase(): BehaviourCase {
  return behaviour('cancellation', 'sampling', 'a sampler stops between steps', async (backend) => {
    const model = smallNetwork();
    const sampler = createSampler(backend, model);
    const reason = new Error('stop here');
    let checks = 0;
    const signal = {
      get aborted() {
        return checks > 2;
      },
      throwIfAborted: () => {
        if (++checks > 2) throw reason;
      },
    };
    let caught: unknown;
    const request = { params: model.init(smallKey()), noise: noise(), solver: euler, times: uniformGrid(50) };
    await sampler.sample({ ...request, signal }).catch((error) => (caught = error));
    await sampler.dispose();
    // A backend that has not all ops refuses by their names, which is not of this case.
    if (caught instanceof BackendError) throw caught;
    expect(
      caught === reason,
      `sample() must reject with the signal's reason after some steps, got ${String(caught)}.`,
    );
  });
}
