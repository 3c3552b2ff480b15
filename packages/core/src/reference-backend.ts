/** The reference interpreter behind the Backend contract: every graph, on the host, in float64; slow and exact. */
import type { Backend } from './backend.js';
import { backendOn } from './backend/backend.js';
import type { Device } from './backend/device.js';
import type { HostArray } from './host-array.js';
import { interpret } from './interpreter.js';
import { hostDTypeOf } from './types.js';

/** The backend named `reference`. Between runs, state keeps its float64 precision. */
export function referenceBackend(): Backend {
  return backendOn(device);
}

const device: Device<HostArray> = {
  info: {
    backend: 'reference',
    device: 'cpu',
    description: 'float64 reference interpreter (plain JavaScript)',
    versions: {},
  },
  takesFloat64: true,
  float16: true,
  compile: (graph) => ({
    run: (given) => {
      const inputs = Object.fromEntries(graph.inputs.map(({ name }, i) => [name, given[i]!]));
      const results = interpret(graph, inputs);
      return graph.outputs.map(({ name }) => results[name]!);
    },
  }),
  read: (value, { dtype }) => value.to(hostDTypeOf(dtype)).data.slice(),
};
