/**
 * An executable on a device: inputs are checked and taken at the call, runs wait for each other, buffers are lent to the run
 * that reads them, and state is donated by a run that succeeds. A run that is refused, fails or is aborted leaves it whole.
 */
import type { DeviceArray, Executable, RunInput } from '../backend.js';
import type { CancellationSignal } from '../platform.js';
import { takeInputs } from '../check-inputs.js';
import { describeValue } from '../describe-value.js';
import { ArgumentError, BackendError, DisposedError } from '../errors.js';
import type { Graph } from '../graph.js';
import { HostArray } from '../host-array.js';
import { BufferArray, bytesOf, type DeviceArrays } from './device-array.js';
import type { DeviceProgram, Transfers } from './device.js';
import { hostDTypeOf } from '../types.js';

/** What an executable has done since it was compiled. */
export interface RunCounters extends Transfers {
  runs: number;
}

/** An executable that counts, and shows what it runs. */
export interface DeviceExecutable<P> extends Executable {
  readonly counters: Readonly<RunCounters>;
  readonly program: P;
}

/** What an executable is made of. */
export interface ExecutableParts<Buffer, P extends DeviceProgram<Buffer>> {
  readonly graph: Graph;
  /** The inputs that are donated. */
  readonly state: readonly string[];
  readonly program: P;
  /** Those that it makes belong to these, and it takes no others. */
  readonly arrays: DeviceArrays<Buffer>;
  readonly constants: ExecutableConstants<Buffer>;
  /** Called when it was disposed of, before the program is. */
  onDispose(): void;
  /** Called after the program was. */
  onDisposed(): void;
}

/** The inputs that were settled when the graph was compiled. */
export interface ExecutableConstants<Buffer> {
  readonly names: ReadonlySet<string>;
  readonly bytes: number;
  /** Those that runs are lent; the program holds the others. */
  readonly lent: ReadonlyMap<string, BufferArray<Buffer>>;
}

export function executableOf<Buffer, P extends DeviceProgram<Buffer>>({
  graph,
  state,
  program,
  arrays,
  constants,
  onDispose,
  onDisposed,
}: ExecutableParts<Buffer, P>): DeviceExecutable<P> {
  const counters: RunCounters = { runs: 0, hostToDeviceBytes: constants.bytes, deviceToHostBytes: 0 };
  /** What a run is given, and what the program is. */
  const asked = { ...graph, inputs: graph.inputs.filter(({ name }) => !constants.names.has(name)) };
  const passed = graph.inputs.filter(({ name }) => constants.lent.has(name) || !constants.names.has(name));
  /** Places of the state among the latter. */
  const donated = state.map((name) => passed.findIndex((input) => input.name === name));
  let queue: Promise<void> = Promise.resolve();
  let ending: Promise<void> | undefined;

  async function runNow(
    given: Readonly<Record<string, RunInput>>,
    signal: CancellationSignal | undefined,
  ): Promise<Record<string, DeviceArray>> {
    signal?.throwIfAborted();
    const { device } = arrays;
    const lent: (BufferArray<Buffer> | undefined)[] = [];
    const moved: Transfers = { hostToDeviceBytes: 0, deviceToHostBytes: 0 };
    const donate = (): void => {
      for (const place of donated) {
        const array = lent[place];
        lent[place] = undefined;
        array?.release();
        array?.dispose();
      }
    };
    try {
      const operands = passed.map(({ name, value }, i) => {
        const input = constants.lent.get(name) ?? given[name]!;
        if (input instanceof HostArray || device.movesBuffers)
          moved.hostToDeviceBytes += bytesOf(graph.types[value]!);
        if (input instanceof HostArray)
          return device.takesFloat64 ? input : input.to(hostDTypeOf(graph.types[value]!.dtype));
        const array = ownArray(name, input);
        const buffer = array.acquire();
        lent[i] = array;
        return buffer;
      });
      const isShared = (place: number): boolean => lent[place]?.isShared ?? false;
      const buffers = await program.run(operands, { signal, donate, isShared, moved });
      checkResults(device.info.backend, graph, buffers);
      const results = graph.outputs.map(({ name, value }, i) => {
        const type = graph.types[value]!;
        if (device.movesBuffers) moved.deviceToHostBytes += bytesOf(type);
        return [name, new BufferArray(arrays, buffers[i], type, counters)] as const;
      });
      donate();
      counters.runs += 1;
      counters.hostToDeviceBytes += moved.hostToDeviceBytes;
      counters.deviceToHostBytes += moved.deviceToHostBytes;
      return Object.fromEntries(results);
    } finally {
      for (const array of lent) array?.release();
    }
  }

  function ownArray(name: string, input: DeviceArray): BufferArray<Buffer> {
    if (arrays.has(input)) return input;
    throw new ArgumentError(
      `Input "${name}" is a device array of another backend; read() it and pass the host array.`,
    );
  }

  const dispose = (): Promise<void> =>
    (ending ??= queue.then(async () => {
      onDispose();
      await program.dispose?.();
      onDisposed();
    }));

  return {
    graph,
    counters,
    program,
    async run(inputs, options = {}) {
      if (ending !== undefined)
        throw new DisposedError(`The executable of graph "${graph.name}" was disposed of.`);
      // What the caller does with its arrays from here on does not reach the run.
      checkNoConstant(graph, constants.names, inputs);
      const given = takeInputs(asked, inputs, options);
      const result = queue.then(() => runNow(given, options.signal));
      // The queue is only waited for: it must not keep the results of the latest run alive.
      queue = result.then(nothing, nothing);
      return result;
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** @throws {ArgumentError} when a run is given what was settled when the graph was compiled */
function checkNoConstant({ name }: Graph, constants: ReadonlySet<string>, inputs: unknown): void {
  if (constants.size === 0 || typeof inputs !== 'object' || inputs === null) return;
  const settled = Object.keys(inputs).find((input) => constants.has(input));
  if (settled === undefined) return;
  throw new ArgumentError(
    `Input "${settled}" of graph "${name}" is a constant: its value was settled by compile(), and no run is given it.`,
  );
}

/** @throws {BackendError} when a program gave something other than a buffer for each output */
function checkResults(name: string, { outputs }: Graph, buffers: unknown): void {
  if (Array.isArray(buffers) && buffers.length === outputs.length) return;
  const found = Array.isArray(buffers) ? String(buffers.length) : describeValue(buffers);
  throw new BackendError(
    `The backend ${name}: run gives a list with a buffer for each of ${outputs.length} outputs, got ${found}.`,
  );
}

const nothing = (): void => undefined;
