/**
 * The workload `w1` on meanflow: one MeanFlow train step of an MLP on 2-D points, as in `peers/w1.py`, from the same
 * parameters and the same batch. Speaks the peers' protocol: prints `ready` with its first losses and the probe, then
 * answers each line `n` with the wall and CPU milliseconds of n steps.
 *
 *     node dist/w1.js FILE
 */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ortBackend } from '@meanflow/backend-ort';
import { DataError, RandomKey, type HostArray } from '@meanflow/core';
import { decodeSafetensors } from '@meanflow/formats';
import { meanFlow, mlp, type MlpParameters } from '@meanflow/models';
import { adamW, ema, Trainer } from '@meanflow/training';

const CHECKED_STEPS = 5;

const { tensors } = decodeSafetensors(await readFile(process.argv[2]), process.argv[2]);
const float32 = (name: string): HostArray<'float32'> => {
  const found = tensors[name];
  if (found === undefined)
    throw new DataError(`${process.argv[2]} has no tensor "${name}"; make it with w1.py init.`);
  return found.to('float32');
};
const layer = (i: number) => ({ kernel: float32(`kernel${i}`), bias: float32(`bias${i}`) });

const network = mlp({ kind: 'mlp', featureShape: [2], width: 256, depth: 4 });
const { condition } = network.init(RandomKey.fromSeed(0));
const initial: MlpParameters = { condition, layers: [0, 1, 2, 3].map(layer), out: layer(4) };
const objective = meanFlow({ kind: 'meanflow', weight: { power: 1, epsilon: 1e-3 } });
const draws = { noise: float32('noise'), t: float32('t'), r: float32('r') };
const x = float32('x');

const trainer = await Trainer.create({
  backend: await ortBackend({ ort: () => import('onnxruntime-node'), device: 'cpu' }),
  network: { ...network, init: () => initial },
  objective: { ...objective, draw: () => draws },
  optimizer: adamW({ learningRate: 1e-4, beta2: 0.95, weightDecay: 0.01 }),
  ema: ema({ decays: [0.999], rampUp: false }),
  data: { batch: () => ({ x }) },
  batchSize: x.shape[0],
  seed: 0,
});

async function step(): Promise<number> {
  const { loss, metrics } = await trainer.advance();
  const value = (await loss.read()).item();
  for (const scalar of [loss, ...Object.values(metrics)]) scalar.dispose();
  return value;
}

/** The parameters' movement along a fixed direction: the losses hardly depend on the gradients, this does. */
function probe(before: MlpParameters, after: MlpParameters): number {
  const flat = ({ layers, out }: MlpParameters) =>
    [...layers, out].flatMap(({ kernel, bias }) => (bias === undefined ? [kernel] : [kernel, bias]));
  const moved = flat(after);
  return flat(before).reduce((total, { data }, k) => {
    return data.reduce((sum, value, i) => sum + (moved[k].data[i] - value) * Math.cos(i * 0.1), total);
  }, 0);
}

const losses: number[] = [];
while (losses.length < CHECKED_STEPS) losses.push(await step());
console.log(`ready ${JSON.stringify({ losses, probe: probe(initial, await trainer.parameters()) })}`);
for await (const line of createInterface({ input: process.stdin })) {
  const times: [wall: number, cpu: number][] = [];
  for (let i = 0; i < Number(line); i++) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    await step();
    const { user, system } = process.cpuUsage(cpu);
    times.push([performance.now() - wall, (user + system) / 1000]);
  }
  console.log(JSON.stringify(times));
}
await trainer.dispose();
