/**
 * Several steps per run on ONNX Runtime: on the CPU the same bits as one by one; on CUDA, with the CPU provider in the
 * place of a GPU that the test cannot have, the bytes that cross to the device and back.
 */
import type { InferenceSession } from 'onnxruntime-node';
import { ortBackend, type OrtBackend, type OrtExecutable } from '@meanflow/backend-ort';
import { treePaths, type HostArray, type RandomKey } from '@meanflow/core';
import { createNetwork, createObjective, type NetworkConfig, type ObjectiveConfig } from '@meanflow/models';
import { adamW, chain, clipByGlobalNorm, ema, train, Trainer } from '@meanflow/training';

const module = await import('onnxruntime-node');

/** ONNX Runtime whose CUDA provider is its CPU provider. */
const cudaOnCpu = {
  ...{ env: module.env, Tensor: module.Tensor },
  InferenceSession: {
    create: (model: Uint8Array, { extra: _, ...options }: InferenceSession.SessionOptions) =>
      module.InferenceSession.create(model, { ...options, executionProviders: ['cpu'] }),
  },
};

const BATCH = 16;
const data = {
  batch: (key: RandomKey, step: number, size: number) => ({ x: key.fold(step).normal([size, 2]) }),
};

interface Choice {
  readonly network?: NetworkConfig;
  readonly objective?: ObjectiveConfig;
  readonly every?: number;
}

function trainerOn(backend: OrtBackend, stepsPerRun: number, choice: Choice = {}) {
  const {
    network = { kind: 'mlp', featureShape: [2], width: 32, depth: 2 },
    objective = { kind: 'meanflow' },
    every = 1,
  } = choice;
  return Trainer.create({
    backend,
    network: createNetwork(network),
    objective: createObjective(objective),
    optimizer: chain(clipByGlobalNorm(0.5), adamW({ learningRate: 1e-2, beta2: 0.95, weightDecay: 0.1 })),
    ema: ema({ decays: [0.9, 0.99], every }),
    data,
    batchSize: BATCH,
    seed: 5,
    stepsPerRun,
  });
}

describe('several steps per run on ort:cpu', () => {
  const residual: NetworkConfig = { kind: 'residual-mlp', featureShape: [2], width: 24, depth: 2 };
  it.each<[string, Choice]>([
    ['MeanFlow', {}],
    ['flow matching', { objective: { kind: 'flow-matching' } }],
    [
      'improved MeanFlow, residual network',
      { objective: { kind: 'improved-meanflow', tangent: 'boundary' }, network: residual },
    ],
    ['averages every second step', { every: 2 }],
  ])('are the steps one by one, bit for bit: %s', async (_, choice) => {
    const backend = await ortBackend({ ort: module, threads: 1 });
    expect(backend.copiesState).toBe(true);
    const outcome = async (stepsPerRun: number) => {
      await using trainer = await trainerOn(backend, stepsPerRun, choice);
      const losses: number[] = [];
      await train(trainer, { steps: 13, logEvery: 1, onMetrics: ({ loss }) => void losses.push(loss) });
      const { params, optimizer, ema: averages } = await trainer.snapshot();
      return { losses, state: treePaths<HostArray>({ params, optimizer, ema: averages }) };
    };
    expect(await outcome(4)).toEqual(await outcome(1));
    await backend.dispose();
  });
});

describe('several steps per run on ort:cuda', () => {
  /** Bytes of each direction in eight steps, and of the state. */
  async function traffic(stepsPerRun: number) {
    const backend = await ortBackend({ ort: cudaOnCpu, device: 'cuda' });
    const executables: OrtExecutable[] = [];
    const counting: OrtBackend = Object.assign(Object.create(backend), {
      compile: async (...args: Parameters<OrtBackend['compile']>) => {
        const executable = await backend.compile(...args);
        executables.push(executable);
        return executable;
      },
    });
    const trainer = await trainerOn(counting, stepsPerRun);
    await train(trainer, { steps: 8 });
    const total = (counter: 'runs' | 'hostToDeviceBytes' | 'deviceToHostBytes') =>
      executables.reduce((sum, { counters }) => sum + counters[counter], 0);
    const { params, optimizer, ema: averages } = trainer.initialState;
    const state = treePaths<HostArray>({ params, optimizer, ema: averages });
    const result = {
      state: state.reduce((sum, { leaf }) => sum + 4 * leaf.size, 0),
      runs: total('runs'),
      up: total('hostToDeviceBytes'),
      down: total('deviceToHostBytes'),
      reported: trainer.graph.outputs.length - state.length,
    };
    await trainer.dispose();
    await backend.dispose();
    return result;
  }

  it('are 8 by default', async () => {
    const backend = await ortBackend({ ort: cudaOnCpu, device: 'cuda' });
    await using trainer = await Trainer.create({
      backend,
      network: createNetwork({ kind: 'mlp', featureShape: [2], width: 4, depth: 1 }),
      objective: createObjective({ kind: 'meanflow' }),
      optimizer: adamW({ learningRate: 1e-2 }),
      data,
      batchSize: 4,
      seed: 0,
    });
    expect(trainer.stepsPerRun).toBe(8);
    await backend.dispose();
  });

  it('move the state once up and once down per run, and of each step its batch and its report', async () => {
    // x, noise, r and t of each row; step size, ε, decay, and the weights of two averages.
    const batch = 4 * (BATCH * (2 + 2 + 1 + 1) + 3 + 2);
    for (const count of [1, 2, 4, 8]) {
      const { state, reported, ...counted } = await traffic(count);
      expect(counted).toEqual({
        runs: 8 / count,
        up: (8 / count) * state + 8 * batch,
        down: (8 / count) * state + 8 * 4 * reported,
      });
    }
  });
});
