/** What backends share, on a device that notes what it is asked to do: who owns which buffer, and in which order things end. */
import { backendOn, type Device, type DeviceProgram, type RunControl } from '../../src/backend-door.js';
import {
  add,
  ArgumentError,
  DisposedError,
  HostArray,
  hostArray,
  spec,
  trace,
  type DeviceArray,
  type Tensor,
} from '../../src/index.js';

/** A number in a buffer. */
interface Cell {
  readonly value: number;
}

type Work = (sum: number, control: RunControl) => void | Promise<void>;

const { graph } = trace(
  ({ state, step }: Record<'state' | 'step', Tensor>) => ({ state: add(state, step) }),
  { state: spec([]), step: spec([]) },
  { name: 'counter' },
);
const one = hostArray(1);

/** A backend that adds its two inputs; `work` is done in the middle of each run. */
function noting(work: Work = () => undefined, more: Partial<Device<Cell>> = {}) {
  const events: string[] = [];
  const program: DeviceProgram<Cell> = {
    async run(inputs, control) {
      const [a, b] = inputs.map((input) => (input instanceof HostArray ? input.item() : input.value));
      events.push(`run ${a} + ${b}`);
      await work(a + b, control);
      return [{ value: a + b }];
    },
    dispose: () => void events.push('end of the program'),
  };
  const backend = backendOn<Cell, DeviceProgram<Cell>, object>({
    info: { backend: 'noting', device: 'cpu', description: 'a list', versions: {} },
    compile: () => program,
    read: async ({ value }) => Float32Array.of(value),
    free: ({ value }) => void events.push(`free ${value}`),
    close: () => void events.push('end of the device'),
    ...more,
  });
  return { backend, events };
}

describe('a device that is wrong', () => {
  test.each<[string, object, string]>([
    ['says nothing of itself', { info: undefined }, 'A device says what it is in info, { backend, '],
    [
      'cannot compile',
      { compile: undefined },
      'The device of the backend "noting": compile is a function, got ',
    ],
    ['cannot be read', { read: 3 }, 'The device of the backend "noting": read is a function, got 3.'],
  ])('%s', (_, more, message) => {
    expect(() => noting(undefined, more)).toThrow(message);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined'],
    ['no list', { value: 1 }, 'an object'],
    ['a buffer too many', [{ value: 1 }, { value: 2 }], '2'],
  ])('gives %s', async (_, results, found) => {
    const { backend } = noting(undefined, { compile: () => ({ run: () => results as Cell[] }) });
    const executable = await backend.compile(graph);
    await expect(executable.run({ state: one, step: one })).rejects.toThrow(
      `The backend noting: run gives a list with a buffer for each of 1 outputs, got ${found}.`,
    );
  });
});

test('a buffer is freed when its array is disposed of and nothing uses it any more', async () => {
  const { backend, events } = noting();
  const executable = await backend.compile(graph);
  const { state } = await executable.run({ state: one, step: one });
  expect(backend.memory()).toEqual({ arrays: 1, bytes: 4, constantBytes: 0 });
  const [running, reading] = [executable.run({ state, step: one }), state.read()];
  await Promise.resolve();
  state.dispose();
  state.dispose();
  expect((await reading).item()).toBe(2);
  (await running).state.dispose();
  expect(events).toEqual(['run 1 + 1', 'run 2 + 1', 'free 2', 'free 3']);
  expect(backend.memory()).toEqual({ arrays: 0, bytes: 0, constantBytes: 0 });
});

test('state is freed after the run that takes it, or in the middle of it where the run says so', async () => {
  const after = noting(() => void after.events.push('work'));
  const within = noting((_, { donate }) => {
    donate();
    within.events.push('work');
  });
  for (const { backend } of [after, within]) {
    const executable = await backend.compile(graph, { state: { state: 'state' } });
    const first = await executable.run({ state: one, step: one });
    // The same array as another input: lent to the run until it is done.
    const second = await executable.run({ state: first.state, step: first.state });
    await expect(first.state.read()).rejects.toThrow(DisposedError);
    expect((await second.state.read()).item()).toBe(4);
  }
  expect(after.events).toEqual(['run 1 + 1', 'work', 'run 2 + 2', 'work', 'free 2']);
  expect(within.events).toEqual(after.events);
  const executable = await within.backend.compile(graph, { state: { state: 'state' } });
  within.events.length = 0;
  const { state } = await executable.run({ state: one, step: one });
  await executable.run({ state, step: one });
  expect(within.events).toEqual(['run 1 + 1', 'work', 'run 2 + 1', 'free 2', 'work']);
});

test('a run that fails or is aborted leaves the state and frees nothing', async () => {
  const { backend, events } = noting((sum) => {
    if (sum === 3) throw new Error('three');
  });
  const executable = await backend.compile(graph, { state: { state: 'state' } });
  const { state } = await executable.run({ state: one, step: one });
  await expect(executable.run({ state, step: one })).rejects.toThrow('three');
  const aborted = executable.run({ state, step: one }, { signal: AbortSignal.abort(new Error('stop')) });
  await expect(aborted).rejects.toThrow('stop');
  expect((await state.read()).item()).toBe(2);
  expect(events).toEqual(['run 1 + 1', 'run 2 + 1']);
  expect(executable.counters.runs).toBe(1);
});

test('of two runs with one state the second is refused, and dispose() waits for both', async () => {
  const { backend, events } = noting();
  const executable = await backend.compile(graph, { state: { state: 'state' } });
  const { state } = await executable.run({ state: one, step: one });
  const runs = [executable.run({ state, step: one }), executable.run({ state, step: one })];
  const disposed = executable.dispose();
  await expect(executable.run({ state: one, step: one })).rejects.toThrow(DisposedError);
  expect((await Promise.allSettled(runs)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  await disposed;
  expect(events).toEqual(['run 1 + 1', 'run 2 + 1', 'free 2', 'end of the program']);
});

test('arrays of another backend are refused, of another device of its kind too', async () => {
  const [own, other] = [await noting().backend.compile(graph), await noting().backend.compile(graph)];
  const { state } = await other.run({ state: one, step: one });
  await expect(own.run({ state, step: one })).rejects.toThrow(ArgumentError);
  await expect(own.run({ state, step: one })).rejects.toThrow('device array of another backend');
  expect((await state.read()).item()).toBe(2);
});

test('what crosses is counted: by the run where buffers move in each, by the reader elsewhere', async () => {
  for (const [movesBuffers, counts] of [
    [false, { runs: 2, hostToDeviceBytes: 12, deviceToHostBytes: 4 + 2 * 5 }],
    [true, { runs: 2, hostToDeviceBytes: 16, deviceToHostBytes: 8 + 2 * 5 }],
  ] as const) {
    const { backend } = noting((_, { moved }) => void (moved.deviceToHostBytes += 5), { movesBuffers });
    const executable = await backend.compile(graph);
    const { state } = await executable.run({ state: one, step: one });
    await (await executable.run({ state, step: one })).state.read();
    expect(executable.counters).toEqual(counts);
  }
});

test('the end of a backend is the end of its programs, then of the device; its arrays stay', async () => {
  const { backend, events } = noting();
  let array: DeviceArray | undefined;
  {
    await using opened = backend;
    await using executable = await opened.compile(graph);
    using _first = (await executable.run({ state: one, step: one })).state;
    await opened.compile(graph);
    array = (await executable.run({ state: one, step: hostArray(4) })).state;
  }
  await backend.dispose();
  expect(events).toEqual([
    ...['run 1 + 1', 'run 1 + 4', 'free 2'],
    ...['end of the program', 'end of the program', 'end of the device'],
  ]);
  expect((await array.read()).item()).toBe(5);
  await expect(backend.compile(graph)).rejects.toThrow('The backend noting was disposed of.');
});

test('constants are put on the device once, lent to every run and freed with the executable', async () => {
  const { backend, events } = noting();
  const executable = await backend.compile(graph, { constants: { step: one } });
  expect(executable.counters).toMatchObject({ runs: 0, hostToDeviceBytes: 4 });
  expect(backend.memory()).toEqual({ arrays: 1, bytes: 4, constantBytes: 4 });
  const put = events.splice(0);
  for (let i = 0; i < 3; i++) (await executable.run({ state: one })).state.dispose();
  // The device does the same whatever it compiled; what comes of constants the conformance kit checks.
  expect(events.filter((event) => event.startsWith('run'))).toHaveLength(3);
  expect(executable.counters).toMatchObject({ runs: 3, hostToDeviceBytes: 16 });
  await executable.dispose();
  expect(backend.memory()).toEqual({ arrays: 0, bytes: 0, constantBytes: 0 });
  expect(put).toEqual(['run 1 + undefined', 'end of the program']);
});
