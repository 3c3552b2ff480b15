/** What a user's tests do with the library, for any runner: graphs, derivatives, training and sampling on ONNX Runtime. */
import assert from 'node:assert';
import { compile, grad, hostArray, jvp, RandomKey, referenceBackend, spec, trace } from '@meanflow/core';
import { meanFlow, mlp } from '@meanflow/models';
import { openBackend } from '@meanflow/runs/node';
import { averageVelocity, createSampler } from '@meanflow/samplers';
import { adam, Trainer, train } from '@meanflow/training';

const openOrt = () => openBackend('ort:cpu', { threads: 1 });

/** @param {(name: string, body: () => Promise<void>) => unknown} test the runner's */
export function libraryTests(test) {
  test('a graph with a tangent and a gradient, in the interpreter and on ONNX Runtime', async () => {
    const cubes = (x) => x.mul(x).mul(x).sum();
    const traced = trace(
      ({ x, dx }) => ({ value: cubes(x), tangent: jvp(cubes, [x], [dx])[1], gradient: grad(cubes)(x) }),
      { x: spec([3]), dx: spec([3]) },
    );
    for (const backend of [referenceBackend(), await openOrt()]) {
      const { run } = await compile(backend, traced);
      const outputs = await run({ x: hostArray([1, 2, 3]), dx: hostArray([1, 0, 0]) });
      assert.deepEqual(await numbers(outputs.value), [36]);
      assert.deepEqual(await numbers(outputs.tangent), [3]);
      assert.deepEqual(await numbers(outputs.gradient), [3, 12, 27]);
      await backend.dispose();
    }
  });

  test('training and sampling, the same on ONNX Runtime as in the interpreter', async () => {
    const [exact, onOrt] = [await trainAndSample(referenceBackend()), await trainAndSample(await openOrt())];
    assert.equal(onOrt.losses.length, 5);
    closeTo(onOrt.losses, exact.losses);
    assert.equal(onOrt.samples.length, 16);
    closeTo(onOrt.samples, exact.samples);
  });
}

/** Five steps of MeanFlow on points of a square, and eight samples. */
async function trainAndSample(backend) {
  const network = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 2 });
  const trainer = await Trainer.create({
    backend,
    network,
    objective: meanFlow(),
    optimizer: adam({ learningRate: 1e-3 }),
    data: { batch: (key, step, size) => ({ x: key.fold(step).uniform([size, 2], -1, 1) }) },
    batchSize: 16,
    seed: 0,
  });
  const losses = [];
  await train(trainer, { steps: 5, logEvery: 1, onMetrics: ({ loss }) => losses.push(loss) });
  const { samples } = await createSampler(backend, network).sample({
    params: await trainer.parameters(),
    noise: RandomKey.fromSeed(1).normal([8, 2]),
    solver: averageVelocity,
    times: [1, 0],
  });
  await backend.dispose();
  return { losses, samples: Array.from(samples.data) };
}

const numbers = async (array) => Array.from((await array.read()).data);

function closeTo(actual, expected) {
  assert.ok(expected.every(Number.isFinite));
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(actual[i] - value) < 1e-4, `${actual[i]} is not ${value}`);
  }
}
