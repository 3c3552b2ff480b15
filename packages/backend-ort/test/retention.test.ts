/** A result keeps its own memory alive and nothing else's: a loss that waits to be read must not hold a step's state. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hostZeros, spec, trace, type DeviceArray } from '@meanflow/core';
import * as ort from 'onnxruntime-node';
import { ortBackend } from '../src/index.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('scalars kept from many runs do not keep the large results of those runs', async () => {
  const backend = await ortBackend({ ort, device: 'cpu', threads: 1 });
  const { graph } = trace(({ x }) => ({ state: x.add(1), loss: x.sum() }), { x: spec([256, 1024]) });
  const executable = await backend.compile(graph, { state: { x: 'state' } });
  const stateBytes = 256 * 1024 * 4;
  const runs = 40;
  const losses: DeviceArray[] = [];
  let state: DeviceArray | undefined;
  for (let i = 0; i < runs; i++) {
    const results = await executable.run({ x: state ?? hostZeros([256, 1024]) });
    losses.push(results.loss);
    state = results.state;
  }
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 50));
  collectGarbage();
  expect(process.memoryUsage().arrayBuffers).toBeLessThan((runs / 2) * stateBytes);
  expect((await losses[1].read()).item()).toBe(256 * 1024);
  await executable.dispose();
  await backend.dispose();
});
