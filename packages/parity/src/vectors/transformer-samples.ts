/** The cases `*-sample`: samples from given noise and labels in one or a few steps, by the project's sampler. */
import { DataError, HostArray, type Backend } from '@meanflow/core';
import type { JsonObject } from '@meanflow/formats';
import { averageVelocity, createSampler, uniformGrid, type GuidanceCondition } from '@meanflow/samplers';
import { compareOutputs } from './compare-outputs.js';
import { at, tensorOf, type ParityCase, type ParityRunner } from './parity-case.js';
import { publishedNetwork } from './published-network.js';
import { tolerances } from './tolerances.js';
import { transformerConfig, type TransformerFamily } from './transformer-config.js';

/** How a set of samples is drawn. */
interface SampleVariant {
  readonly times: readonly number[];
  readonly condition: GuidanceCondition | undefined;
}

export const transformerSamples =
  (family: TransformerFamily): ParityRunner =>
  async (given, backend) => {
    const { network, params } = publishedNetwork(given, transformerConfig(family, given, 'sampling'));
    const label = tensorOf(given, 'in/labels');
    const noise = scaled(tensorOf(given, 'in/noise'), network.noiseScale ?? 1);
    const sampler = createSampler(backend as Backend, network);
    try {
      const computed: Record<string, HostArray> = {};
      for (const output of Object.keys(given.tensors)) {
        const name = /^out\/images_(.+)$/.exec(output)?.[1];
        if (name === undefined) continue;
        const { times, condition } = variantOf(given, name);
        const request = { params, noise, label, times, condition, solver: averageVelocity };
        computed[`images_${name}`] = (await sampler.sample(request)).samples;
      }
      return compareOutputs(given, computed, tolerances.output);
    } finally {
      await sampler.dispose();
    }
  };

/** The times of MeanFlow's cases are tensors; improved MeanFlow's cases say a number of equal steps, and guidance. */
function variantOf(given: ParityCase, name: string): SampleVariant {
  const times = given.tensors[`in/t_steps_${name}`];
  const variants = at(given.facts, ['variants']);
  const variant = (Array.isArray(variants) ? variants : []).find(
    (entry): entry is JsonObject => at(entry, ['name']) === name,
  );
  const number = (key: string): number | undefined => {
    const value = variant?.[key];
    return typeof value === 'number' ? value : undefined;
  };
  const steps = number('num_steps');
  if (times === undefined && steps === undefined) {
    throw new DataError(
      `${given.name}: neither "in/t_steps_${name}" nor variant "${name}" says how to sample.`,
    );
  }
  const omega = number('omega');
  return {
    times: times === undefined ? uniformGrid(steps!) : [...times.data],
    condition:
      omega === undefined ? undefined : { omega, tMin: number('t_min') ?? 0, tMax: number('t_max') ?? 1 },
  };
}

function scaled(noise: HostArray, scale: number): HostArray<'float32'> {
  return new HostArray(
    'float32',
    noise.shape,
    Float32Array.from(noise.data, (x) => scale * x),
  );
}
