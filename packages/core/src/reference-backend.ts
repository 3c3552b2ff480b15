/** The reference interpreter behind the Backend contract: every graph, on the host, in float64; slow and exact. */
import type { Backend, CompileOptions, DeviceArray, Executable, RunInput } from './backend.js';
import { checkCompileOptions, takeInputs } from './check-inputs.js';
import { DisposedError } from './errors.js';
import type { Graph } from './graph.js';
import { HostArray } from './host-array.js';
import { interpret } from './interpreter.js';
import type { DType, Shape } from './types.js';

class ReferenceArray implements DeviceArray {
  private value: HostArray | undefined;
  readonly dtype: DType;
  readonly shape: Shape;

  constructor(value: HostArray) {
    this.value = value;
    this.dtype = value.dtype === 'float64' ? 'float32' : value.dtype;
    this.shape = value.shape;
  }

  /** The float64 value, before rounding to the graph's dtype. */
  exact(): HostArray {
    if (this.value === undefined)
      throw new DisposedError('This device array was disposed of or donated to a run.');
    return this.value;
  }

  /** A copy, which nothing else reads. */
  async read(): Promise<HostArray> {
    const value = this.exact();
    return value.dtype === this.dtype ? value.clone() : value.to(this.dtype);
  }

  dispose(): void {
    this.value = undefined;
  }
}

/** A promise for arrays of other backends only: a run on none of those is done when it was called, before any other. */
function hostValue(input: RunInput): HostArray | Promise<HostArray> {
  if (input instanceof HostArray) return input;
  return input instanceof ReferenceArray ? input.exact() : input.read();
}

/** Whether the backend was disposed of, and its executables with it. */
interface Owner {
  disposed: boolean;
}

function executable(graph: Graph, state: NonNullable<CompileOptions['state']>, owner: Owner): Executable {
  let disposed = false;
  const dispose = async () => {
    disposed = true;
  };
  return {
    graph,
    async run(inputs, options) {
      if (disposed || owner.disposed) {
        throw new DisposedError(`The executable of graph "${graph.name}" was disposed of.`);
      }
      const given = takeInputs(graph, inputs, options);
      options?.signal?.throwIfAborted();
      const names = Object.keys(given);
      const found = names.map((name) => hostValue(given[name]));
      const isHere = (value: HostArray | Promise<HostArray>) => value instanceof HostArray;
      const values = found.every(isHere) ? found : await Promise.all(found);
      const results = interpret(graph, Object.fromEntries(names.map((name, i) => [name, values[i]])));
      for (const name of Object.keys(state)) {
        const donated = given[name];
        if (!(donated instanceof HostArray)) donated.dispose();
      }
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, new ReferenceArray(value)]),
      );
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}

/** The backend named `reference`. Between runs, state keeps its float64 precision. */
export function referenceBackend(): Backend {
  const owner: Owner = { disposed: false };
  return {
    name: 'reference',
    describe: () => ({
      backend: 'reference',
      device: 'cpu',
      description: 'float64 reference interpreter (plain JavaScript)',
      versions: {},
    }),
    async compile(graph, options) {
      if (owner.disposed) throw new DisposedError('The backend reference was disposed of.');
      return executable(graph, checkCompileOptions(graph, options), owner);
    },
    dispose: async () => {
      owner.disposed = true;
    },
  };
}
