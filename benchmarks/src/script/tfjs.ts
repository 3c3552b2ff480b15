/**
 * A MeanFlow train step of an MLP in TensorFlow.js without this project: gradients of its own, AdamW by hand. It has no forward mode, so
 * that the Jacobian-vector product is the derivative of a vector-Jacobian product, which is linear in its cotangent.
 */
import * as tf from '@tensorflow/tfjs-core';
import { treeFlatten, type HostArray } from '@meanflow/core';
import { training, type TrainCase } from '../cases.js';
import type { Workload } from '../workload.js';
import { frequencies, type ScriptStep } from './step.js';

const EMBEDDING = 64;

/** @param paths of the parameters, `layers/0/kernel` … `out/bias` */
function mlp(paths: readonly string[]) {
  const layers = paths.filter((path) => path.endsWith('kernel')).length;
  const at = (layer: number, part: string): number =>
    paths.indexOf(layer === layers - 1 ? `out/${part}` : `layers/${layer}/${part}`);
  const waves = tf.tensor2d(frequencies(EMBEDDING, 10), [1, EMBEDDING / 2]);
  const embed = (t: tf.Tensor): tf.Tensor => {
    const angles = tf.mul(tf.reshape(t, [-1, 1]), waves);
    return tf.concat([tf.cos(angles), tf.sin(angles)], 1);
  };
  return (params: readonly tf.Tensor[], z: tf.Tensor, r: tf.Tensor, t: tf.Tensor): tf.Tensor => {
    let h = tf.concat([z, embed(t), embed(tf.sub(t, r))], 1);
    for (let i = 0; i < layers; i++) {
      h = tf.add(tf.matMul(h, params[at(i, 'kernel')]!), params[at(i, 'bias')]!);
      if (i < layers - 1) h = tf.mul(h, tf.sigmoid(h));
    }
    return h;
  };
}

/** @param backend of tfjs, which is loaded already */
export async function tfjsStep(
  backend: string,
  benchmark: TrainCase,
  { params: initial, arrays }: Workload,
): Promise<ScriptStep> {
  if (benchmark.network.kind !== 'mlp') throw new Error('tfjs has the MLP here only.');
  await tf.setBackend(backend);
  const { structure, leaves } = treeFlatten<HostArray>(initial);
  const network = mlp(structure.paths);
  const upload = ({ data, shape }: HostArray): tf.Tensor => tf.tensor(Float32Array.from(data), [...shape]);
  const data = (['x', 'noise', 'r', 't'] as const).map((name) => upload(arrays[name]!));
  const [x, noise, r, t] = data as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const column = (a: tf.Tensor): tf.Tensor => tf.reshape(a, [-1, 1]);
  const v = tf.sub(noise, x);
  const z = tf.add(tf.mul(tf.sub(1, column(t)), x), tf.mul(column(t), noise));
  const interval = column(tf.sub(t, r));

  const loss = (...params: tf.Tensor[]): tf.Scalar => {
    const along = (cotangent: tf.Tensor): tf.Tensor => {
      const of = (...at: tf.Tensor[]): tf.Tensor =>
        tf.sum(tf.mul(network(params, at[0]!, r, at[1]!), cotangent));
      const [gz, gt] = tf.grads(of)([z, t]) as [tf.Tensor, tf.Tensor];
      return tf.add(tf.sum(tf.mul(gz, v)), tf.sum(gt));
    };
    const derivative = tf.grad(along)(tf.zerosLike(v));
    const target = tf.sub(v, tf.mul(interval, derivative));
    const squared = tf.sum(tf.square(tf.sub(network(params, z, r, t), stop(target))), 1);
    return tf.mean(tf.div(squared, stop(tf.add(squared, training.weightEpsilon))));
  };

  const { learningRate, beta1, beta2, epsilon, weightDecay } = training.optimizer;
  const zeros = (): tf.Tensor[] => leaves.map(({ shape }) => tf.zeros([...shape]));
  let [params, means, variances, averages] = [leaves.map(upload), zeros(), zeros(), leaves.map(upload)] as [tf.Tensor[], tf.Tensor[], tf.Tensor[], tf.Tensor[]]; // prettier-ignore
  let count = 0;
  return {
    step: async () => {
      count++;
      const [first, second] = [1 / (1 - beta1 ** count), 1 / (1 - beta2 ** count)];
      const before = [params, means, variances, averages];
      const made = tf.tidy(() => {
        const { value, grads } = tf.valueAndGrads(loss)(params);
        const next = params.map((param, i) => {
          const mean = tf.add(tf.mul(means[i]!, beta1), tf.mul(grads[i]!, 1 - beta1));
          const variance = tf.add(tf.mul(variances[i]!, beta2), tf.mul(tf.square(grads[i]!), 1 - beta2));
          const root = tf.add(tf.sqrt(tf.mul(variance, second)), epsilon);
          const moved = tf.sub(
            tf.mul(param, 1 - learningRate * weightDecay),
            tf.div(tf.mul(mean, learningRate * first), root),
          );
          return [
            moved,
            mean,
            variance,
            tf.add(tf.mul(averages[i]!, training.emaDecay), tf.mul(moved, 1 - training.emaDecay)),
          ];
        });
        return { value, next };
      });
      [params, means, variances, averages] = [0, 1, 2, 3].map((part) => made.next.map((each) => each[part]!)) as [tf.Tensor[], tf.Tensor[], tf.Tensor[], tf.Tensor[]]; // prettier-ignore
      tf.dispose(before);
      const [value] = await made.value.data();
      made.value.dispose();
      return value!;
    },
    gradientNorm: async () => {
      let squares = 0;
      for (const mean of means) for (const value of await mean.data()) squares += value ** 2;
      return Math.sqrt(squares) / (1 - beta1);
    },
  };
}

/** tfjs has no stopGradient: a custom gradient of zero is one. */
const stop = tf.customGrad((x) => {
  const value = tf.clone(x as tf.Tensor);
  return { value, gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy) };
}) as (x: tf.Tensor) => tf.Tensor;
