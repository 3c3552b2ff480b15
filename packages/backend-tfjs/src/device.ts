/** A tfjs backend as the device of a Backend: it runs schedules, and holds storages. */
import { drainGivingWay, hostDTypeOf, sizeOf, type DType, type HostData } from '@meanflow/core';
import type { Device } from '@meanflow/core/backend';
import type { OpenDevice } from './devices.js';
import type { KernelSource } from './kernels/emitter.js';
import type { DeviceMemory } from './options.js';
import { buildingProgram } from './program/build.js';
import type { Program } from './program/program.js';
import type { TfModule } from './runtime.js';
import type { Schedule } from './schedule.js';
import { ScheduleProgram, type Storage } from './schedule-program.js';
import { unpackHalves } from './webgpu/halves.js';

/** How a program becomes a schedule. */
export type Plan = (
  program: Program,
  source: KernelSource,
  isState: (name: string) => boolean,
) => Schedule | Promise<Schedule>;

/** A tfjs backend, with a way to run programs on it, as a device. */
export function deviceOf(
  tf: TfModule,
  device: OpenDevice,
  plan: Plan,
): Device<Storage, ScheduleProgram, DeviceMemory> {
  const { info, float16, tfjsName, store } = device;
  const source: KernelSource = {
    tfjsName,
    find: (kernel) => tf.getKernel(kernel, tfjsName)?.kernelFunc,
    backend: store,
  };
  return {
    info,
    float16,
    async compile(graph, isState, _, onPrepared) {
      device.check();
      const program = await drainGivingWay(buildingProgram(graph));
      // The device may have gone meanwhile.
      device.check();
      onPrepared();
      return new ScheduleProgram(device, await plan(program, source, isState), graph);
    },
    async read(storage, { dtype, shape }) {
      const values = (await device.read(storage!)) as HostData[DType];
      if (dtype === 'float16') return unpackHalves(values as Int32Array, sizeOf(shape));
      return new arrayOf[hostDTypeOf(dtype)](values);
    },
    free: (storage) => void (storage !== undefined && store.disposeData(storage)),
    memory: () => device.memory(),
    close: () => device.close(),
  };
}

const arrayOf = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;
