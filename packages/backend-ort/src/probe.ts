/** What a backend is tried with when it is opened, so that a runtime that cannot serve is found then. */
import { spec, trace, type DeviceInfo, type Graph } from '@meanflow/core';

/** A graph of one op. */
export const probeGraph = (): Graph => trace((x) => x.neg(), spec([1]), { name: 'probe' }).graph;

/** How the error begins when it cannot be loaded: what was asked, what was found, and what to install. */
export function probeFailure({ backend, versions }: DeviceInfo, help: string): string {
  const found = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return (
    `${backend} was asked for and cannot run here (found: ${found.join(', ')}; onnxruntime 1.30 or newer is ` +
    `needed). ${help}\nONNX Runtime says`
  );
}
