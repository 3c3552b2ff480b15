/** JSON from outside, and the configuration files of the command, with what is made of them before anything runs. */
import { checkAskedRun, parseConfig } from '@meanflow/runs/command';
import { parseJson } from '@meanflow/formats/build';
import type { Seed, Target } from '../target.js';

const words = [
  '{"a":',
  '[',
  '//',
  '/*',
  ',}',
  '"__proto__":',
  '1e999',
  '"network":',
  '"steps":',
  'null',
  '\\ud800',
];

export const json: Target = {
  name: 'json',
  words,
  seeds: (): Seed[] => [
    {
      name: 'object',
      bytes: new TextEncoder().encode('{"a":[1,-2.5e3,"text \\u00e9\\n",null,true],"b":{"c":{}}}'),
      read: (bytes) => parseJson(new TextDecoder().decode(bytes), 'The seed'),
    },
  ],
};

export const configs: Target = {
  name: 'configurations',
  words,
  seeds: (): Seed[] => {
    const read = (bytes: Uint8Array): unknown =>
      checkAskedRun(parseConfig(new TextDecoder().decode(bytes), 'seed.json'), 'seed.json');
    const config = `{
  // A run.
  "data": "8-gaussians", "method": "meanflow", "steps": 4, "batch": 32, "heldOut": 0.2, "splitSeed": 0, "seed": 1,
  "backend": "ort:cpu", "conditional": false,
  "network": { "kind": "mlp", "width": 32, "depth": 2, "embedding": { "kind": "fourier", "frequencies": 1 } },
  "optimizer": { "learningRate": 0.004, "schedule": "cosine", "warmUpSteps": 2, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weightDecay": 0 },
  "ema": { "decays": [0.99] }, "evaluation": { "samples": 20, "metrics": ["mmd2"] },
  "objective": { "kind": "meanflow", "intervals": { "t": { "kind": "uniform" }, "equalShare": 0.25 }, "weight": { "power": 0.6, "epsilon": 0.01 } },
  "sampling": { "solver": "average-velocity", "nfe": [1, 2], "ema": 0.99 }, "logEvery": 7, "checkpointEvery": 3,
}`;
    return [{ name: 'run', bytes: new TextEncoder().encode(config), read }];
  },
};
