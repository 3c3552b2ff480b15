/** What executables of this adapter do beyond what the conformance kit asks of any. */
import * as mf from '@meanflow/core';
import { executableTests } from '@meanflow/conformance/testing';
import { ints, normal, open, onEveryDevice } from './support.js';

onEveryDevice(({ device, backend }) => {
  executableTests({ test, backend });

  test('all that is disposed of is freed', async () => {
    const own = await open(device);
    const before = own.memory().storages;
    const { graph } = mf.trace(
      ({ x, w }: Record<'x' | 'w', mf.Tensor>) => ({ x: mf.layerNorm(mf.tanh(mf.matmul(x, w))) }),
      { x: mf.spec([8, 16]), w: mf.spec([16, 16]) },
    );
    const executable = await own.compile(graph, { state: { x: 'x' } });
    const w = normal([16, 16], 'w');
    let x: mf.RunInput = normal([8, 16]);
    for (let i = 0; i < 5; i++) ({ x } = await executable.run({ x, w }));
    (x as mf.DeviceArray).dispose();
    await executable.dispose();
    // tfjs keeps one backend of a kind for all; on it are the arrays of other tests, too.
    expect(own.memory().storages).toBe(device === 'webgpu' ? 0 : before);
    await own.dispose();
  });

  test('a run with an index out of range gives NaN, and holds nothing but its results', async () => {
    const own = await backend();
    const { graph } = mf.trace(({ x, i }: Record<'x' | 'i', mf.Tensor>) => mf.gather(mf.sin(x), i), {
      x: mf.spec([3]),
      i: mf.spec([2], 'int32'),
    });
    const executable = await own.compile(graph);
    const before = own.memory().storages;
    for (const array of Object.values(await executable.run({ x: normal([3]), i: ints([0, 7]) }))) {
      expect(Array.from((await array.read()).data, Number.isNaN)).toEqual([false, true]);
      array.dispose();
    }
    expect(own.memory().storages).toBe(before);
    await executable.dispose();
  });
});
