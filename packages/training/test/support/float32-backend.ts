/**
 * The reference backend with everything rounded to float32 after every run, as devices hold it. (The reference itself
 * keeps float64 between runs, which no checkpoint can.)
 */
import { HostArray, referenceBackend, type Backend, type DeviceArray } from '@meanflow/core';

/** @param onRead told the name of every output that is copied to the host */
export function float32Backend(onRead: (name: string) => void = () => {}): Backend {
  const reference = referenceBackend();
  return {
    ...reference,
    name: 'reference:float32',
    async compile(graph, options = {}) {
      const executable = await reference.compile(graph);
      return {
        ...executable,
        async run(inputs, runOptions) {
          const given = Object.entries(inputs).map(async ([name, value]) => {
            return [name, value instanceof HostArray ? value : await (value as RoundedArray).peek()] as const;
          });
          const results = await executable.run(Object.fromEntries(await Promise.all(given)), runOptions);
          for (const name of Object.keys(options.state ?? {})) {
            const donated = inputs[name];
            if (!(donated instanceof HostArray)) donated.dispose();
          }
          return Object.fromEntries(
            Object.entries(results).map(([name, array]) => [name, new RoundedArray(name, array, onRead)]),
          );
        },
      };
    },
  };
}

/** An output that is rounded whenever it is looked at. */
class RoundedArray implements DeviceArray {
  readonly dtype;
  readonly shape;

  constructor(
    private readonly name: string,
    private readonly array: DeviceArray,
    private readonly onRead: (name: string) => void,
  ) {
    this.dtype = array.dtype;
    this.shape = array.shape;
  }

  peek(): Promise<HostArray> {
    return this.array.read();
  }

  read(): Promise<HostArray> {
    this.onRead(this.name);
    return this.peek();
  }

  dispose(): void {
    this.array.dispose();
  }
}
