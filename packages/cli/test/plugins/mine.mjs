/** A plug-in of tests: an entry of every kind, each made of one of ours under a name and with settings of its own. */
import { HostArray, referenceBackend } from '@meanflow/core';
import { distributionDataset, distributions } from '@meanflow/data';
import { metric } from '@meanflow/metrics';
import { networks, objectives } from '@meanflow/models';
import { euler } from '@meanflow/samplers';
import { z } from 'zod';

const mlp = networks.get('mlp');
const flow = objectives.get('flow-matching');
const [moons] = distributions.filter(({ name }) => name === 'two-moons');

const mlpSettings = { kind: 'mlp', width: 8, depth: 1, embedding: { kind: 'fourier', frequencies: 2 } };

export default {
  name: 'mine',
  networks: [
    {
      name: 'narrow',
      settings: z.object({ width: z.int().positive().default(8) }),
      create: (config) => mlp.create({ ...mlpSettings, ...config, kind: 'mlp' }),
    },
  ],
  objectives: [
    {
      name: 'gentle-flow',
      description: 'flow matching under another name',
      learns: 'Learns the velocity <gently>.',
      source: 'this test',
      colours: { light: '#123456', dark: '#abcdef' },
      settings: z.object({ kind: z.literal('gentle-flow'), gentleness: z.number().default(1) }),
      solver: 'euler',
      create: () => flow.create({ kind: 'flow-matching' }),
    },
  ],
  datasets: [
    {
      name: 'my-moons',
      description: 'two moons, again',
      open: async () => ({ ...distributionDataset(moons), name: 'my-moons' }),
    },
  ],
  metrics: [
    metric({
      name: 'first-value',
      title: 'first value',
      unit: '',
      better: 'lower',
      description: 'The first number of the samples.',
      reads: [],
      value: ({ samples }) => Math.abs(new HostArray('float32', samples.shape, samples.data).data[0]),
    }),
  ],
  solvers: [{ ...euler, name: 'my-euler' }],
  backends: [{ name: 'my-reference', open: async () => referenceBackend() }],
};
