/** What executables of this adapter do beyond what the conformance kit asks of any. */
import * as mf from '@meanflow/core';
import { floats, ints, normal, open, onEveryDevice } from './support.js';

onEveryDevice(({ device, backend }) => {
  const { graph: counter } = mf.trace(
    ({ state, step }: { state: mf.Tensor; step: mf.Tensor }) => ({
      state: state.add(step),
      twice: state.mul(2),
    }),
    { state: mf.spec([3]), step: mf.spec([]) },
    { name: 'counter' },
  );
  const compileCounter = async () => (await backend()).compile(counter, { state: { state: 'state' } });
  const step = floats([1], []);

  test('a signal that fires while a run waits stops it', async () => {
    const executable = await compileCounter();
    const controller = new AbortController();
    const running = executable.run({ state: floats([0, 0, 0]), step });
    const waiting = executable.run({ state: floats([0, 0, 0]), step }, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow('abort');
    expect((await (await running).state.read()).data).toEqual(Float32Array.of(1, 1, 1));
    await executable.dispose();
  });

  test('an array of another backend is not taken in silence', async () => {
    const { graph } = mf.trace((x: mf.Tensor) => x.add(1), mf.spec([3]));
    const elsewhere = await mf.referenceBackend().compile(graph);
    const { output } = await elsewhere.run({ input: floats([1, 2, 3]) });
    const executable = await compileCounter();
    await expect(executable.run({ state: output, step })).rejects.toThrow('another backend');
    await executable.dispose();
  });

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

  test('a failed run holds nothing', async () => {
    const own = await backend();
    const { graph } = mf.trace(({ x, i }: Record<'x' | 'i', mf.Tensor>) => mf.gather(mf.sin(x), i), {
      x: mf.spec([3]),
      i: mf.spec([2], 'int32'),
    });
    const executable = await own.compile(graph);
    const before = own.memory().storages;
    const run = executable.run({ x: normal([3]), i: ints([0, 7]) });
    if (device === 'webgpu') for (const array of Object.values(await run)) array.dispose();
    else await expect(run).rejects.toThrow(/gather.*float32\[3, 1\].*graph "main".*tfjs:/);
    expect(own.memory().storages).toBe(before);
    await executable.dispose();
  });
});
