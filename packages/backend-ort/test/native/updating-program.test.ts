/** Train steps that write the new state over the old one, on the processor by our own kernels. */
import * as mf from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { ortBackend } from '../../src/index.js';
import type { Block } from '../../src/native/blocks.js';
import { canFuse, isFused } from '../../src/native/lower-fused.js';
import type { NativeMemory } from '../../src/native/native-device.js';
import type { NativeSession } from '../../src/native/native-session.js';
import { splitUpdate } from '../../src/native/split-update.js';
import { UpdatingProgram } from '../../src/native/updating-program.js';
import { expectClose, floats, normal, ort } from '../support.js';

const STATE = { w: 'w', m: 'm' };
const isState = (input: string): boolean => Object.hasOwn(STATE, input);

type Names = 'w' | 'm' | 'x' | 'rate';

/** Momentum on the mean square of a network of so many layers: as much state as is worth a run of its own. */
const stepOf = (products: number, size = 1024): mf.Graph =>
  mf.trace(
    ({ w, m, x, rate }: Record<Names, mf.Tensor>) => {
      const loss = (weights: mf.Tensor): mf.Tensor => {
        let y = x;
        for (let i = 0; i < products; i++) y = mf.tanh(mf.matmul(y, weights));
        return mf.mean(y.square());
      };
      const gradient = mf.grad(loss)(w);
      const momentum = m.mul(0.9).add(gradient.mul(0.1));
      return { w: w.sub(momentum.mul(rate)), m: momentum, loss: loss(w) };
    },
    { w: mf.spec([size, size]), m: mf.spec([size, size]), x: mf.spec([8, size]), rate: mf.spec([]) },
  ).graph;

const inputs = (size = 1024) => ({ x: normal([8, size]), rate: floats([0.5], []) });
const initial = (size = 1024) => ({ w: normal([size, size]), m: mf.hostZeros([size, size]) });

const open = async (kernels = true) => {
  const backend = await ortBackend({
    ort,
    koffi: () => import('koffi'),
    threads: 1,
    binding: 'native',
    kernels,
  });
  return { backend, memory: () => backend.memory() as unknown as NativeMemory & { arrays: number } };
};

/** Where an array lies. */
const blockOf = (array: mf.RunInput | undefined): Block => (array as unknown as { held: Block }).held;

describe('what is split off', () => {
  const prepared = (graph: mf.Graph): mf.Graph =>
    prepare(graph, { hasKernel: (call) => isFused(call) && canFuse(call) });

  test('the update, whose operands are state, inputs, and what the step passes on', () => {
    const split = splitUpdate(prepared(stepOf(1)), isState)!;
    const names = (values: readonly { readonly name: string }[]) => values.map(({ name }) => name);
    expect(names(split.update.outputs)).toEqual(['m', 'w']);
    expect(new Set(split.inPlace.keys())).toEqual(new Set(['w', 'm']));
    expect(new Set(split.inPlace.values())).toEqual(new Set(['w', 'm']));
    expect(names(split.update.inputs).slice(0, -1)).toEqual(['m', 'rate', 'w']);
    expect(names(split.step.outputs)[0]).toBe('loss');
    expect(split.step.outputs).toHaveLength(2);
    expect(names(split.step.inputs)).toEqual(['w', 'x']);
  });

  test('nothing where there is no state, or the graph goes on with it', () => {
    expect(splitUpdate(prepared(stepOf(2)), () => false)).toBeUndefined();
    const { graph } = mf.trace(
      ({ w, x }: Record<'w' | 'x', mf.Tensor>) => {
        const next = w.mul(0.9).add(mf.tanh(mf.matmul(x, x)));
        return { w: next, y: mf.matmul(next, x) };
      },
      { w: mf.spec([8, 8]), x: mf.spec([8, 8]) },
    );
    expect(splitUpdate(prepared(graph), isState)).toBeUndefined();
  });
});

test('state is written over, and comes to the same numbers', async () => {
  const { backend, memory } = await open();
  const { backend: plain } = await open(false);
  const executable = await backend.compile(stepOf(1), { state: STATE });
  expect(executable.program).toBeInstanceOf(UpdatingProgram);
  const reference = await plain.compile(stepOf(1), { state: STATE });
  let state: Record<string, mf.RunInput> = initial();
  let expected: Record<string, mf.RunInput> = initial();
  let allocated = 0;
  for (let i = 0; i < 4; i++) {
    const before = state;
    const places = i === 0 ? [] : [blockOf(state.w), blockOf(state.m)];
    const { loss, ...next } = await executable.run({ ...state, ...inputs() });
    const { loss: expectedLoss, ...others } = await reference.run({ ...expected, ...inputs() });
    expect((await loss!.read()).item()).toBeCloseTo((await expectedLoss!.read()).item(), 5);
    loss!.dispose();
    if (i > 0) {
      expect(new Set([blockOf(next.w), blockOf(next.m)])).toEqual(new Set(places));
      await expect((before.w as mf.DeviceArray).read()).rejects.toThrow(mf.DisposedError);
      expect(memory().allocated).toBe(allocated);
    }
    allocated = memory().allocated;
    [state, expected] = [next, others];
  }
  // The state, a gradient and the loss.
  expect(allocated).toBe(4);
  for (const name of ['w', 'm']) {
    expectClose(await fetched(state[name]), await fetched(expected[name]), 'sum');
  }
  await backend.dispose();
  await plain.dispose();
});

/** Fetches an array that a run returned. */
const fetched = (array: mf.RunInput | undefined): Promise<mf.HostArray> => (array as mf.DeviceArray).read();

test('a run that is aborted leaves the state whole', async () => {
  const { backend } = await open();
  const executable = await backend.compile(stepOf(60), { state: STATE });
  const { loss: _, ...state } = await executable.run({ ...initial(), ...inputs() });
  const before = await (state.w as mf.DeviceArray).read();
  const controller = new AbortController();
  const running = executable.run({ ...state, ...inputs() }, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 5);
  await expect(running).rejects.toThrow('enough');
  expect((await (state.w as mf.DeviceArray).read()).data).toEqual(before.data);
  expect(executable.counters.runs).toBe(1);
  await executable.run({ ...state, ...inputs() });
  await backend.dispose();
});

test('the update reads what the run was given, where the step makes something of the same name', async () => {
  const { graph } = mf.trace(
    ({ w, m, x, rate }: Record<Names, mf.Tensor>) => ({
      w: w.mul(0.9).sub(m.mul(rate)),
      m: mf.matmul(mf.transpose(x, [1, 0]), x),
    }),
    { w: mf.spec([1024, 1024]), m: mf.spec([1024, 1024]), x: mf.spec([8, 1024]), rate: mf.spec([]) },
  );
  const { backend } = await open();
  const executable = await backend.compile(graph, { state: STATE });
  expect(executable.program).toBeInstanceOf(UpdatingProgram);
  const w = normal([1024, 1024]);
  const m = normal([1024, 1024], 'other');
  const { w: first, ...made } = await executable.run({ w, m, ...inputs() });
  const expected = Float32Array.from(w.data, (x, i) => x * 0.9 - m.data[i]! * 0.5);
  expect(farthest((await fetched(first)).data, expected)).toBeLessThan(1e-5);
  const old = await fetched(made['m']);
  const { w: second } = await executable.run({ w: first!, m: made['m']!, ...inputs() });
  const after = Float32Array.from(expected, (x, i) => x * 0.9 - old.data[i]! * 0.5);
  expect(farthest((await fetched(second)).data, after)).toBeLessThan(1e-4);
  await backend.dispose();
});

/** The largest difference of two arrays. */
const farthest = (a: ArrayLike<number>, b: Float32Array): number =>
  b.reduce((worst, x, i) => Math.max(worst, Math.abs(x - a[i]!)), 0);

describe('an update that does not go well', () => {
  /** A step after which state is on the device, and the session of its update. */
  const ready = async () => {
    const { backend } = await open();
    const executable = await backend.compile(stepOf(1), { state: STATE });
    const { loss: _, ...state } = await executable.run({ ...initial(), ...inputs() });
    const update = Reflect.get(executable.program, 'update') as NativeSession;
    const before = await fetched(state['w']);
    return { backend, executable, state, update, before };
  };

  test('leaves the state whole where it has not begun', async () => {
    const { backend, executable, state, update, before } = await ready();
    const { prepare } = update;
    update.prepare = () => {
      throw new Error('no memory');
    };
    await expect(executable.run({ ...state, ...inputs() })).rejects.toThrow('no memory');
    expect((await fetched(state['w'])).data).toEqual(before.data);
    update.prepare = prepare;
    await executable.run({ ...state, ...inputs() });
    await backend.dispose();
  });

  test('says that the state is lost where it has', async () => {
    const { backend, executable, state, update } = await ready();
    update.prepare = () => () => Promise.reject(new Error('a fault'));
    await expect(executable.run({ ...state, ...inputs() })).rejects.toThrow(
      'a fault The state that the run was given is lost.',
    );
    await expect(fetched(state['w'])).rejects.toThrow(mf.DisposedError);
    await backend.dispose();
  });

  test('is finished where it is aborted, and its results are there', async () => {
    const { backend, executable, state, update, before } = await ready();
    const controller = new AbortController();
    const prepare = update.prepare.bind(update);
    update.prepare = (...operands) => {
      const start = prepare(...operands);
      return async (signal) => {
        controller.abort(new Error('too late'));
        await start(signal);
      };
    };
    const next = await executable.run({ ...state, ...inputs() }, { signal: controller.signal });
    expect((await fetched(next['w'])).data).not.toEqual(before.data);
    await backend.dispose();
  });
});

test('an array that another run reads, or that stands for two, is not written over', async () => {
  const { backend } = await open();
  const executable = await backend.compile(stepOf(1), { state: STATE });
  const { graph } = mf.trace(
    (x: mf.Tensor) => {
      let y = mf.slice(x, [0, 0], [8, 1024]);
      for (let i = 0; i < 300; i++) y = mf.tanh(mf.matmul(y, x));
      return { y: y.add(mf.slice(x, [0, 0], [8, 1024])) };
    },
    mf.spec([1024, 1024]),
  );
  const other = await backend.compile(graph);
  const { loss: _, ...state } = await executable.run({ ...initial(), ...inputs() });
  const expected = await (await other.run({ input: state.w! })).y!.read();
  const old = blockOf(state.w);
  const [meanwhile, next] = await Promise.all([
    other.run({ input: state.w! }),
    executable.run({ ...state, ...inputs() }),
  ]);
  expect((await meanwhile.y!.read()).data).toEqual(expected.data);
  expect([blockOf(next.w), blockOf(next.m)]).not.toContain(old);

  // The same array as weights and as momentum: both runs read it whole.
  const w = await fetched(next.w);
  const twice = await executable.run({ w: next.w!, m: next.w!, ...inputs() });
  const { backend: plain } = await open(false);
  const reference = await plain.compile(stepOf(1), { state: STATE });
  const wanted = await reference.run({ w, m: w, ...inputs() });
  for (const name of ['w', 'm']) expectClose(await fetched(twice[name]), await fetched(wanted[name]), 'sum');
  await backend.dispose();
  await plain.dispose();
});
