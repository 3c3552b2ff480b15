/**
 * Composites of a user's own that bear the names of core's, each with a causal mask inside: a kernel stands for core's
 * definition, and a backend that looks for one by name would lose the mask. Beside each stands core's own, which may have
 * its kernel all the same.
 */
import * as mf from '@meanflow/core';
import { builtInComposites } from '@meanflow/core/backend';
import type { CompositeDefinition, CompositeParameters, HostArray, Tensor } from '@meanflow/core';
import type { BuiltInComposite } from '@meanflow/core/backend';
import { f32, floats } from './inputs.js';

/** A user's composite, and core's of the same name. */
export interface NamesakePair {
  readonly op: BuiltInComposite;
  readonly own: (...inputs: Tensor[]) => readonly Tensor[];
  readonly cores: (...inputs: Tensor[]) => readonly Tensor[];
  inputs(): readonly HostArray[];
}

interface Namesake {
  /** What core's composite of this name computes. */
  readonly f: (...inputs: Tensor[]) => readonly Tensor[];
  /** Those of core's. */
  readonly parameters: CompositeParameters;
  inputs(): readonly HostArray[];
}

const rows = (): HostArray[] => [floats([3, 4], -2, 2, 'namesake')];
const norm = { epsilon: 1e-6 };
const adam = { beta1: 0.9, beta2: 0.95 };

const namesakes: Readonly<Record<BuiltInComposite, Namesake>> = {
  relu: { f: (x) => [mf.relu(x)], parameters: {}, inputs: rows },
  silu: { f: (x) => [mf.silu(x)], parameters: {}, inputs: rows },
  gelu: { f: (x) => [mf.gelu(x)], parameters: {}, inputs: rows },
  geluTanh: { f: (x) => [mf.gelu(x, { approximate: 'tanh' })], parameters: {}, inputs: rows },
  softplus: { f: (x) => [mf.softplus(x)], parameters: {}, inputs: rows },
  softmax: { f: (x) => [mf.softmax(x)], parameters: {}, inputs: rows },
  layerNorm: { f: (x) => [mf.layerNorm(x, norm)], parameters: norm, inputs: rows },
  rmsNorm: { f: (x) => [mf.rmsNorm(x, norm)], parameters: norm, inputs: rows },
  attention: {
    f: (q, k, v) => [mf.attention(q, k, v, { scale: 0.5 })],
    parameters: { scale: 0.5 },
    inputs: () => ['q', 'k', 'v'].map((name) => floats([1, 2, 3, 4], -1, 1, name)),
  },
  adamUpdate: {
    f: (gradient, mean, variance, stepSize, epsilon) => {
      const next = mf.adamUpdate({ gradient, mean, variance, stepSize, epsilon }, adam);
      return [next.update, next.mean, next.variance];
    },
    parameters: adam,
    inputs: () => [
      floats([3, 4], -1, 1, 'gradient'),
      floats([3, 4], -1, 1, 'mean'),
      floats([3, 4], 0.5, 1, 'variance'),
      f32([-0.1], []),
      f32([1e-3], []),
    ],
  },
  // Made by a pass of every cluster that is found, and never called: what is called so is anybody's.
  fused: { f: (x) => [mf.mul(x, mf.sigmoid(x))], parameters: {}, inputs: rows },
};

/** One half wherever the last coordinate is beyond the one before it. */
function causal(x: Tensor): Tensor {
  const [row, column] = [x.rank - 2, x.rank - 1];
  return mf.where(mf.lessEqual(mf.iota(x.shape, column, 'int32'), mf.iota(x.shape, row, 'int32')), x, 0.5);
}

/** One pair for each composite of core's. */
export function namesakePairs(): readonly NamesakePair[] {
  return builtInComposites.map((op) => {
    const { f, parameters, inputs } = namesakes[op];
    const definition: CompositeDefinition = {
      name: op,
      decompose: ([x, ...others]) => f(causal(x!), ...others),
    };
    return { op, own: (...x) => mf.callComposite(definition, x, parameters), cores: f, inputs };
  });
}
