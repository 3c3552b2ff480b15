/** backendOn: a device as a Backend. */
import type { Backend, CompileOptions, CompileProgress } from '../backend.js';
import { takeCompileOptions } from '../check-inputs.js';
import { describeValue } from '../describe-value.js';
import { ArgumentError, BackendError } from '../errors.js';
import type { Graph } from '../graph.js';
import { quoted } from '../printable.js';
import type { Program } from '../tensor.js';
import { putConstants, typedConstants } from './constants.js';
import { bytesOf, DeviceArrays } from './device-array.js';
import type { Device, DeviceProgram } from './device.js';
import { executableOf, type DeviceExecutable } from './executable.js';
import { LiveExecutables } from './live-executables.js';

/** A backend whose executables show their programs, and which says what it holds. */
export interface DeviceBackend<P, Memory = object> extends Backend {
  compile(graph: Graph, options?: CompileOptions): Promise<DeviceExecutable<P>>;
  /** What it holds, and what the device knows of its memory. */
  memory(): Holdings & Memory;
}

/** The results of runs that were neither disposed of nor donated, and constants that lie with them. */
export interface Holdings {
  readonly arrays: number;
  readonly bytes: number;
  /** Bytes of the constants of all executables, wherever the device keeps them. */
  readonly constantBytes: number;
}

/** The backend on a device that is open; the device is closed with it. @throws {ArgumentError} when the device lacks something */
export function backendOn<Buffer, P extends DeviceProgram<Buffer>, Memory extends object>(
  device: Device<Buffer, P, Memory>,
): DeviceBackend<P, Memory> {
  checkDevice(device.info, device.compile, device.read);
  const { backend: name } = device.info;
  const arrays = new DeviceArrays<Buffer>(device);
  const executables = new LiveExecutables<DeviceExecutable<P>>(name);
  let constantBytes = 0;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await executables.close();
    await device.close?.();
  };
  const dispose = (): Promise<void> => (closing ??= close());
  return {
    name,
    describe: () => device.info,
    memory: () => ({
      arrays: arrays.count,
      bytes: arrays.bytes,
      constantBytes,
      ...(device.memory?.() as Memory),
    }),
    async compile(graph, options) {
      const { state, constants: taken } = takeCompileOptions(graph, options);
      checkFloat16(device, graph);
      const began = Date.now();
      const tell = (phase: CompileProgress['phase']): void =>
        options?.onProgress?.({ phase, seconds: (Date.now() - began) / 1000 });
      return executables.compile(async () => {
        tell('preparing');
        const constants = typedConstants(device, taken);
        const isHeld = device.takesConstants === true;
        const lent = await putConstants(arrays, graph, isHeld ? {} : constants);
        const dropLent = (): void => lent.forEach((array) => array.dispose());
        const isState = (input: string): boolean => Object.hasOwn(state, input);
        let program: P;
        try {
          program = await device.compile(graph, isState, isHeld ? constants : {}, () => tell('compiling'));
        } catch (error) {
          dropLent();
          throw error;
        }
        const bytes = graph.inputs
          .filter(({ name }) => Object.hasOwn(constants, name))
          .reduce((sum, { value }) => sum + bytesOf(graph.types[value]!), 0);
        constantBytes += bytes;
        const executable: DeviceExecutable<P> = executableOf({
          ...{ graph, program, arrays },
          state: Object.keys(state),
          constants: { names: new Set(Object.keys(constants)), bytes, lent },
          onDispose: () => executables.remove(executable),
          onDisposed: () => {
            dropLent();
            constantBytes -= bytes;
          },
        });
        return executable;
      });
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** @throws {BackendError} when a graph has float16 and the device does not take it */
function checkFloat16({ info, float16 }: Pick<Device<unknown>, 'info' | 'float16'>, graph: Program): void {
  if (float16 === true || !holdsFloat16(graph)) return;
  const reason = float16 ?? 'this backend has no kernels for it; use precision float32';
  throw new BackendError(`${info.backend} does not compute graph "${graph.name}" in float16: ${reason}.`);
}

function holdsFloat16({ types, instructions }: Program): boolean {
  return (
    types.some(({ dtype }) => dtype === 'float16') ||
    instructions.some(({ op, attributes }) => op === 'composite' && holdsFloat16(attributes.body))
  );
}

/** @throws {ArgumentError} when a device does not say what it is, or lacks what none can do without */
function checkDevice(info: unknown, compile: unknown, read: unknown): void {
  if (typeof info !== 'object' || info === null || !('backend' in info) || typeof info.backend !== 'string') {
    throw new ArgumentError(
      `A device says what it is in info, { backend, device, description, versions }, got ${describeValue(info)}.`,
    );
  }
  for (const [field, value] of Object.entries({ compile, read })) {
    if (typeof value === 'function') continue;
    throw new ArgumentError(
      `The device of the backend ${quoted(info.backend)}: ${field} is a function, got ${describeValue(value)}.`,
    );
  }
}
