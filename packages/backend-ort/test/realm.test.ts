/**
 * In Jest's own environment, whose typed arrays are not the host's: what users' tests run in.
 *
 * @jest-environment node
 */
import vm from 'node:vm';
import { compile, hostArray, less, spec, trace } from '@meanflow/core';
import { ortBackend } from '../src/index.js';
import { ort } from './support.js';

test('results are arrays of the realm that the backend runs in', async () => {
  expect(vm.runInThisContext('Float32Array')).not.toBe(Float32Array);
  const backend = await ortBackend({ ort, threads: 1 });
  const traced = trace(({ x, n }) => [x.neg(), n.neg(), less(x, 0)] as const, {
    x: spec([2]),
    n: spec([2], 'int32'),
  });
  const { run } = await compile(backend, traced);
  const outputs = await run({ x: hostArray([1, -2]), n: hostArray([3, 4], { dtype: 'int32' }) });
  const [x, n, b] = await Promise.all(outputs.map(async (output) => (await output.read()).data));
  expect(x).toStrictEqual(new Float32Array([-1, 2]));
  expect(n).toStrictEqual(new Int32Array([-3, -4]));
  expect(b).toStrictEqual(new Uint8Array([0, 1]));
  await backend.dispose();
});

test('what is no typed array of that kind is none there either', async () => {
  await (await ortBackend({ ort, threads: 1 })).dispose();
  const ofHost = vm.runInThisContext('[new Float32Array(1), new Float64Array(1)]') as unknown[];
  expect(ofHost.map((array) => array instanceof Float32Array)).toEqual([true, false]);
  class Own extends Float32Array {}
  expect(ofHost[0] instanceof Own).toBe(false);
  expect(new Own(1) instanceof Float32Array).toBe(true);
});
