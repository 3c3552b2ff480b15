/** Counts what programs make WebGPU do, by watching its functions; the same for every library. */
import type { GpuCounts } from './messages.js';

interface Sized {
  readonly size: number;
}
interface Binding {
  readonly resource: { readonly buffer?: Sized; readonly offset?: number; readonly size?: number };
}
type Prototype = Record<string, (this: object, ...given: unknown[]) => unknown>;

/** Watches from now on. @returns the counts so far */
export function watchGpu(): () => GpuCounts {
  let [dispatches, submits, boundBytes, writtenBytes] = [0, 0, 0, 0];
  const groupBytes = new WeakMap<object, number>();
  /** Bytes of the groups that a pass has, by index. */
  const bound = new WeakMap<object, Map<number, number>>();
  const watch = (
    name: string,
    method: string,
    seen: (self: object, given: readonly unknown[], result: unknown) => void,
  ): void => {
    const prototype = (
      globalThis as unknown as Record<string, { readonly prototype: Prototype } | undefined>
    )[name]?.prototype;
    const own = prototype?.[method];
    if (prototype === undefined || own === undefined) return;
    prototype[method] = function (...given) {
      const result = own.apply(this, given);
      seen(this, given, result);
      return result;
    };
  };
  watch('GPUDevice', 'createBindGroup', (_, [descriptor], group) => {
    const { entries } = descriptor as { readonly entries: Iterable<Binding> };
    let bytes = 0;
    for (const { resource } of entries) {
      const { buffer = resource as Partial<Sized>, offset = 0, size } = resource;
      bytes += size ?? (buffer.size ?? 0) - offset;
    }
    groupBytes.set(group as object, bytes);
  });
  watch('GPUComputePassEncoder', 'setBindGroup', (pass, [index, group]) => {
    const groups = bound.get(pass) ?? new Map<number, number>();
    groups.set(index as number, groupBytes.get(group as object) ?? 0);
    bound.set(pass, groups);
  });
  for (const method of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) {
    watch('GPUComputePassEncoder', method, (pass) => {
      dispatches++;
      for (const bytes of bound.get(pass)?.values() ?? []) boundBytes += bytes;
    });
  }
  watch('GPUQueue', 'submit', () => submits++);
  watch('GPUQueue', 'writeBuffer', (_, [, , data, , size]) => {
    writtenBytes += (size as number | undefined) ?? (data as ArrayBufferView).byteLength;
  });
  return () => ({ dispatches, submits, boundBytes, writtenBytes });
}

/** What came between two counts. */
export function between(before: GpuCounts, after: GpuCounts): GpuCounts {
  return {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    boundBytes: after.boundBytes - before.boundBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
  };
}
