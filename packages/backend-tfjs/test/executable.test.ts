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

  describe('results', () => {
    test('a read is a copy, of which the device array knows nothing', async () => {
      const executable = await compileCounter();
      const { state } = await executable.run({ state: floats([1, 2, 3]), step });
      const first = await state.read();
      first.data[0] = 99;
      expect((await state.read()).data).toEqual(Float32Array.of(2, 3, 4));
      expect([state.dtype, state.shape]).toEqual(['float32', [3]]);
      await executable.dispose();
    });

    test('the inputs are left as they were', async () => {
      const executable = await compileCounter();
      const state = floats([1, 2, 3]);
      await executable.run({ state, step });
      expect(state.data).toEqual(Float32Array.of(1, 2, 3));
      await executable.dispose();
    });

    test('float64 arrays stand for float32', async () => {
      const executable = await compileCounter();
      const state = mf.hostArray([0.1, 1, 2], { dtype: 'float64' });
      const { twice } = await executable.run({ state, step });
      expect((await twice.read()).data[0]).toBe(Math.fround(0.1) * 2);
      await executable.dispose();
    });

    test('outlive their executable, and not their disposal', async () => {
      const executable = await compileCounter();
      const { state, twice } = await executable.run({ state: floats([1, 2, 3]), step });
      await executable.dispose();
      expect((await state.read()).data).toEqual(Float32Array.of(2, 3, 4));
      twice.dispose();
      twice.dispose();
      await expect(twice.read()).rejects.toThrow(mf.DisposedError);
    });
  });

  describe('state', () => {
    test('is donated: the array of before is gone, the one of after goes on', async () => {
      const executable = await compileCounter();
      const first = await executable.run({ state: floats([0, 0, 0]), step });
      const second = await executable.run({ state: first.state, step });
      await expect(first.state.read()).rejects.toThrow(mf.DisposedError);
      await expect(executable.run({ state: first.state, step })).rejects.toThrow(mf.DisposedError);
      expect((await second.state.read()).data).toEqual(Float32Array.of(2, 2, 2));
      await executable.dispose();
    });

    test('does not cross to the host between steps', async () => {
      const executable = await compileCounter();
      let { state } = await executable.run({ state: floats([0, 0, 0]), step });
      const before = executable.counters;
      for (let i = 0; i < 10; i++) ({ state } = await executable.run({ state, step }));
      const after = executable.counters;
      expect(after.runs - before.runs).toBe(10);
      expect(after.hostToDeviceBytes - before.hostToDeviceBytes).toBe(10 * 4);
      expect(after.deviceToHostBytes).toBe(0);
      await state.read();
      expect(executable.counters.deviceToHostBytes).toBe(12);
      await executable.dispose();
    });

    test('survives a run that was aborted', async () => {
      const executable = await compileCounter();
      const { state } = await executable.run({ state: floats([0, 0, 0]), step });
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(executable.run({ state, step }, { signal })).rejects.toThrow('enough');
      expect((await state.read()).data).toEqual(Float32Array.of(1, 1, 1));
      await executable.dispose();
    });

    test('one array may be passed twice', async () => {
      const { graph } = mf.trace(({ a, b }: Record<'a' | 'b', mf.Tensor>) => ({ a: a.add(b), b: a.sub(b) }), {
        a: mf.spec([2]),
        b: mf.spec([2]),
      });
      const executable = await (await backend()).compile(graph, { state: { a: 'a', b: 'b' } });
      const { a, b } = await executable.run({ a: floats([3, 4]), b: floats([1, 1]) });
      const next = await executable.run({ a, b: a });
      expect((await next.a.read()).data).toEqual(Float32Array.of(8, 10));
      expect((await next.b.read()).data).toEqual(Float32Array.of(0, 0));
      await expect(a.read()).rejects.toThrow(mf.DisposedError);
      expect((await b.read()).data).toEqual(Float32Array.of(2, 3));
      await executable.dispose();
    });

    test('must pair what the graph has, of one type', async () => {
      const own = await backend();
      await expect(own.compile(counter, { state: { stat: 'state' } })).rejects.toThrow('no input "stat"');
      await expect(own.compile(counter, { state: { state: 'thrice' } })).rejects.toThrow(
        'no output "thrice"',
      );
      await expect(own.compile(counter, { state: { step: 'state' } })).rejects.toThrow(mf.ShapeError);
    });
  });

  describe('concurrency', () => {
    test('runs are done one after the other, in the order of their calls', async () => {
      const executable = await compileCounter();
      const results = await Promise.all(
        [1, 2, 3, 4].map((n) => executable.run({ state: floats([n, n, n]), step })),
      );
      const states = await Promise.all(results.map(async ({ state }) => (await state.read()).data[0]));
      expect(states).toEqual([2, 3, 4, 5]);
      await executable.dispose();
    });

    test('of two runs that are given one state, the second is refused', async () => {
      const executable = await compileCounter();
      const { state } = await executable.run({ state: floats([0, 0, 0]), step });
      const [first, second] = await Promise.allSettled([
        executable.run({ state, step }),
        executable.run({ state, step }),
      ]);
      expect(first.status).toBe('fulfilled');
      expect(second).toMatchObject({ status: 'rejected', reason: expect.any(mf.DisposedError) });
      await executable.dispose();
    });

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

    test('executables run side by side', async () => {
      const executables = await Promise.all([compileCounter(), compileCounter(), compileCounter()]);
      const results = await Promise.all(executables.map((e) => e.run({ state: floats([1, 1, 1]), step })));
      for (const { state } of results) expect((await state.read()).data[0]).toBe(2);
      await Promise.all(executables.map((e) => e.dispose()));
    });

    test('disposing waits for the runs before it, and refuses those after it', async () => {
      const executable = await compileCounter();
      const running = executable.run({ state: floats([1, 1, 1]), step });
      const disposed = executable.dispose();
      await expect(executable.run({ state: floats([1, 1, 1]), step })).rejects.toThrow(mf.DisposedError);
      await disposed;
      await executable.dispose();
      expect((await (await running).state.read()).data[0]).toBe(2);
    });
  });

  describe('wrong inputs', () => {
    test('are named', async () => {
      const executable = await compileCounter();
      const state = floats([1, 2, 3]);
      await expect(executable.run({ state })).rejects.toThrow(mf.ArgumentError);
      await expect(executable.run({ state, step, extra: step })).rejects.toThrow('"extra"');
      await expect(executable.run({ state: floats([1]), step })).rejects.toThrow(mf.ShapeError);
      await expect(executable.run({ state: ints([1, 2, 3]), step })).rejects.toThrow(mf.DTypeError);
      expect(executable.counters.runs).toBe(0);
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
  });

  test('equal inputs give equal bits, run after run and backend after backend', async () => {
    const f = (x: mf.Tensor, w: mf.Tensor, i: mf.Tensor) => {
      const h = mf.softmax(mf.matmul(mf.silu(mf.matmul(x, w)), w));
      return mf.concat([mf.scatterAdd(h, i, 7), mf.sum(h, 0, { keepDims: true })], 0);
    };
    const { graph } = mf.trace(({ x, w, i }: Record<'x' | 'w' | 'i', mf.Tensor>) => f(x, w, i), {
      x: mf.spec([64, 32]),
      w: mf.spec([32, 32]),
      i: mf.spec([64], 'int32'),
    });
    const inputs = {
      x: normal([64, 32]),
      w: normal([32, 32], 'w'),
      i: ints(Array.from({ length: 64 }, (_, k) => (k * 5) % 7)),
    };
    const results: Uint8Array[] = [];
    for (let session = 0; session < 2; session++) {
      const own = await open(device);
      const executable = await own.compile(graph);
      for (let run = 0; run < 4; run++) {
        const { output } = await executable.run(inputs);
        results.push(new Uint8Array((await output.read()).data.slice().buffer));
      }
      await own.dispose();
    }
    for (const result of results) expect(Buffer.compare(result, results[0])).toBe(0);
  });

  test('memory stays flat: nothing is held that was not returned', async () => {
    const own = await open(device);
    const { graph } = mf.trace(
      ({ x, w }: Record<'x' | 'w', mf.Tensor>) => ({ x: mf.layerNorm(mf.tanh(mf.matmul(x, w))) }),
      { x: mf.spec([8, 16]), w: mf.spec([16, 16]) },
    );
    const executable = await own.compile(graph, { state: { x: 'x' } });
    const w = normal([16, 16], 'w');
    const run = async (count: number, x: mf.RunInput) => {
      for (let i = 0; i < count; i++) ({ x } = await executable.run({ x, w }));
      return x as mf.DeviceArray;
    };
    const early = await run(200, normal([8, 16]));
    await early.read();
    const before = own.memory();
    const late = await run(1800, early);
    await late.read();
    expect(own.memory()).toEqual(before);
    late.dispose();
    await executable.dispose();
    // tfjs keeps one backend of a kind for all; on it are the arrays of other tests, too.
    if (device === 'webgpu') expect(own.memory().storages).toBe(0);
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
