/**
 * Constants on devices whose programs do not hold them: a program that returns what it is given puts them there, once, and every
 * run is lent the buffers.
 */
import type { Graph } from '../graph.js';
import type { HostArray } from '../host-array.js';
import type { Tensor } from '../tensor.js';
import { spec, trace } from '../trace.js';
import { BufferArray, type DeviceArrays } from './device-array.js';
import type { Device, DeviceProgram, NamedArrays, Transfers } from './device.js';

/** Constants in the dtypes that a device computes with. */
export function typedConstants<Buffer>(
  { takesFloat64 }: Device<Buffer>,
  constants: NamedArrays,
): NamedArrays {
  if (takesFloat64) return constants;
  const typed = (array: HostArray): HostArray => (array.dtype === 'float64' ? array.to('float32') : array);
  return Object.fromEntries(Object.entries(constants).map(([name, array]) => [name, typed(array)]));
}

/**
 * @param graph whose inputs the constants are
 * @returns arrays on the device by name, for the caller to dispose of
 * @throws {BackendError} when they cannot be put there
 */
export async function putConstants<Buffer>(
  arrays: DeviceArrays<Buffer>,
  { inputs, types }: Graph,
  constants: NamedArrays,
): Promise<ReadonlyMap<string, BufferArray<Buffer>>> {
  if (Object.keys(constants).length === 0) return new Map();
  const returned = (given: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> => given;
  const specs = inputs
    .filter(({ name }) => Object.hasOwn(constants, name))
    .map(({ name, value }) => [name, spec(types[value]!.shape, types[value]!.dtype)] as const);
  const { graph } = trace(returned, Object.fromEntries(specs), { name: 'constants' });
  const program: DeviceProgram<Buffer> = await arrays.device.compile(
    graph,
    () => false,
    {},
    () => {},
  );
  const nothing: Transfers = { hostToDeviceBytes: 0, deviceToHostBytes: 0 };
  try {
    const buffers = await program.run(
      graph.inputs.map(({ name }) => constants[name]!),
      { signal: undefined, donate: () => undefined, isShared: () => false, moved: { ...nothing } },
    );
    // Nobody reads them, so that nothing is counted there.
    return new Map(
      graph.outputs.map(({ name, value }, i) => [
        name,
        new BufferArray(arrays, buffers[i]!, graph.types[value]!, nothing),
      ]),
    );
  } finally {
    await program.dispose?.();
  }
}
