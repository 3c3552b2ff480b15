/**
 * A train step in jax-js, as one would write it there: pure functions, `jvp` inside `valueAndGrad` inside `jit`. jax-js counts
 * references: an operation uses up its operands, and what is used again is passed as `.ref`.
 */
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  jvp,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from '@jax-js/jax';
import { treeFlatten, type HostArray } from '@meanflow/core';
import type { DitConfig } from '@meanflow/models';
import { training, type TrainCase } from '../cases.js';
import type { Workload } from '../workload.js';
import { frequencies, type ScriptStep } from './step.js';

type Tensor = np.Array;
/** Arrays by name, as deep as the parameters are. */
type Params = { readonly [name: string]: Params } & { readonly kernel: Tensor; readonly bias: Tensor };
type Network = (params: Params, z: Tensor, r: Tensor, t: Tensor) => Tensor;

const upload = ({ data, shape }: HostArray): Tensor => np.array(Float32Array.from(data)).reshape([...shape]);

function linear({ kernel, bias }: Params, x: Tensor): Tensor {
  const flat = kernel.ref.reshape([-1, kernel.shape.at(-1)!]);
  return np.matmul(x, flat).add(bias.ref);
}

function embed(t: Tensor, dimension: number, scale: number): Tensor {
  const waves = np.array(frequencies(dimension, scale)).reshape([1, dimension / 2]);
  const angles = t.reshape([-1, 1]).mul(waves);
  return np.concatenate([np.cos(angles.ref), np.sin(angles)], -1);
}

const list = (params: { readonly [name: string]: Params }): Params[] => Object.values(params);

const mlp: Network = (params, z, r, t) => {
  const features = np.concatenate([z, embed(t.ref, 64, 10), embed(t.sub(r), 64, 10)], -1);
  return linear(
    params.out!,
    list(params.layers!).reduce((h, layer) => nn.silu(linear(layer, h)), features),
  );
};

function dit(config: DitConfig, positions: Tensor): Network {
  const { patchSize: patch, heads, width } = config;
  const [height = 0, across = 0, channels = 0] = config.featureShape;
  const [rows, columns] = [height / patch, across / patch];
  const { dimension, scale = 1 } = config.embedding as { dimension: number; scale?: number };

  const embedder = (params: Params, t: Tensor): Tensor =>
    linear(params.out!, nn.silu(linear(params.hidden!, embed(t, dimension, scale))));
  const norm = (x: Tensor): Tensor => nn.standardize(x, -1, { epsilon: 1e-6 });
  const modulated = (x: Tensor, shift: Tensor, factor: Tensor): Tensor =>
    norm(x).mul(factor.add(1)).add(shift);
  const chunks = (params: Params, c: Tensor, count: number): Tensor[] =>
    np.split(linear(params, c).reshape([-1, 1, count * width]), count, -1);

  const attention = (params: Params, x: Tensor): Tensor => {
    const [batch = 0, tokens = 0] = x.shape;
    const split = (y: Tensor): Tensor =>
      y.reshape([batch, tokens, heads, width / heads]).transpose([0, 2, 1, 3]);
    const [q, k, v] = np.split(linear(params.qkv!, x), 3, -1).map(split) as [Tensor, Tensor, Tensor];
    const products = np.matmul(q.mul((width / heads) ** -0.5), k.transpose([0, 1, 3, 2]));
    const y = np.matmul(nn.softmax(products, -1), v);
    return linear(params.out!, y.transpose([0, 2, 1, 3]).reshape([batch, tokens, width]));
  };
  const block = (params: Params, x: Tensor, c: Tensor): Tensor => {
    const [shift, factor, gate, mlpShift, mlpFactor, mlpGate] = chunks(params.modulation!, c, 6) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]; // prettier-ignore
    const y = x.ref.add(gate.mul(attention(params.attention!, modulated(x, shift, factor))));
    const { hidden, out } = params.mlp!;
    return y.ref.add(mlpGate.mul(linear(out!, nn.gelu(linear(hidden!, modulated(y, mlpShift, mlpFactor))))));
  };

  return (params, z, r, t) => {
    const { shape } = z;
    const cut = z.reshape([-1, rows, patch, columns, patch, channels]).transpose([0, 1, 3, 2, 4, 5]);
    let x = linear(params.patch!, cut.reshape([-1, rows * columns, patch * patch * channels])).add(
      positions.ref,
    );
    const [times, spans] = list(params.condition!.embedders!) as [Params, Params];
    const c = nn.silu(embedder(times, t.ref).add(embedder(spans, t.sub(r))));
    for (const each of list(params.blocks!)) x = block(each, x, c.ref);
    const [shift, factor] = chunks(params.out!.modulation!, c, 2) as [Tensor, Tensor];
    const patches = linear(params.out!.linear!, modulated(x, shift, factor));
    return patches.reshape([-1, rows, columns, patch, patch, channels]).transpose([0, 1, 3, 2, 4, 5]).reshape(shape); // prettier-ignore
  };
}

const perRow = (a: Tensor, rank: number): Tensor =>
  a.reshape([-1, ...Array.from({ length: rank - 1 }, () => 1)]);
const squaredNorm = (x: Tensor): Tensor => np.sum(x.ref.mul(x).reshape([x.shape[0]!, -1]), 1);

/** MeanFlow's loss, and flow matching's. */
function lossOf(network: Network, objective: TrainCase['objective'], rows: number) {
  return (params: Params, x: Tensor, noise: Tensor, r: Tensor, t: Tensor): Tensor => {
    const rank = x.ndim;
    const time = perRow(t.ref, rank);
    const z = np.subtract(1, time.ref).mul(x.ref).add(time.mul(noise.ref));
    const v = noise.sub(x);
    if (objective === 'flow-matching') {
      r.dispose();
      return np.mean(squaredNorm(network(params, z, t.ref, t).sub(v)));
    }
    const interval = perRow(t.ref.sub(r.ref), rank);
    const [u, derivative] = jvp((...at: [Tensor, Tensor, Tensor]) => network(params, ...at), [z, r, t], [v.ref, np.zeros([rows]), np.ones([rows])]); // prettier-ignore
    const target = lax.stopGradient(v.sub(interval.mul(derivative)));
    const squared = squaredNorm(u.sub(target));
    const weight = lax.stopGradient(np.reciprocal(squared.ref.add(training.weightEpsilon)));
    return np.mean(weight.mul(squared));
  };
}

/** @param device of jax-js; on `wasm` in a page that is isolated it takes the processor's threads */
export async function jaxJsStep(
  device: 'wasm' | 'webgpu',
  benchmark: TrainCase,
  { params: initial, arrays }: Workload,
): Promise<ScriptStep> {
  await init(device);
  defaultDevice(device);
  const { network: config, batch: rows, objective } = benchmark;
  if (config.kind === 'song-unet') throw new Error('There is no U-Net in jax-js here.');
  const network = config.kind === 'mlp' ? mlp : dit(config, upload(arrays.positions!));
  const { structure, leaves } = treeFlatten<HostArray>(initial);
  // Lists are objects here: jax-js's trees are told apart by what they hold.
  const nested = (values: readonly Tensor[]): Params => {
    const root: Record<string, unknown> = {};
    structure.paths.forEach((path, i) => {
      const names = path.split('/');
      const last = names.pop()!;
      let node = root;
      for (const name of names) node = (node[name] ??= {}) as Record<string, unknown>;
      node[last] = values[i]!;
    });
    return root as Params;
  };
  const { learningRate, beta1, beta2, epsilon, weightDecay } = training.optimizer;
  const loss = lossOf(network, objective, rows);
  const update = jit(
    (
      p: Tensor[],
      m: Tensor[],
      v: Tensor[],
      e: Tensor[],
      corrections: Tensor,
      ...data: [Tensor, Tensor, Tensor, Tensor]
    ) => {
      const [value, gradients] = valueAndGrad((leaves: Tensor[], ...at: typeof data) => loss(nested(leaves), ...at))(tree.ref(p), ...data) as [Tensor, Tensor[]]; // prettier-ignore
      const [first, second] = [corrections.ref.slice(0), corrections.slice(1)];
      const next = p.map((param, i) => {
        const g = gradients[i]!;
        const mean = m[i]!.mul(beta1).add(g.ref.mul(1 - beta1));
        const variance = v[i]!.mul(beta2).add(g.ref.mul(g).mul(1 - beta2));
        const root = np.sqrt(variance.ref.mul(second.ref)).add(epsilon);
        const moved = param
          .mul(1 - learningRate * weightDecay)
          .sub(mean.ref.mul(first.ref.mul(learningRate)).div(root));
        const average = e[i]!.mul(training.emaDecay).add(moved.ref.mul(1 - training.emaDecay));
        return [moved, mean, variance, average] as const;
      });
      return [value, ...[0, 1, 2, 3].map((part) => next.map((each) => each[part]!))] as [Tensor, Tensor[], Tensor[], Tensor[], Tensor[]]; // prettier-ignore
    },
  );
  const zeros = (): Tensor[] => leaves.map(({ shape }) => np.zeros([...shape]));
  let state: [Tensor[], Tensor[], Tensor[], Tensor[]] = [
    leaves.map(upload),
    zeros(),
    zeros(),
    leaves.map(upload),
  ];
  const data = (['x', 'noise', 'r', 't'] as const).map((name) => upload(arrays[name]!)) as [Tensor, Tensor, Tensor, Tensor]; // prettier-ignore
  let count = 0;
  return {
    step: async () => {
      count++;
      const corrections = np.array([1 / (1 - beta1 ** count), 1 / (1 - beta2 ** count)]);
      const [value, ...next] = update(
        ...state,
        corrections,
        ...(data.map((array) => array.ref) as typeof data),
      );
      state = next;
      await blockUntilReady(state);
      return (await value.data())[0]!;
    },
    gradientNorm: async () => {
      let squares = 0;
      for (const mean of state[1]) for (const value of await mean.ref.data()) squares += value ** 2;
      return Math.sqrt(squares) / (1 - beta1);
    },
  };
}
