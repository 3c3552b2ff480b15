/**
 * The reference interpreter with everything rounded to float32 after every run, as devices hold it. (The reference backend
 * itself keeps float64 between runs, which no checkpoint can.)
 */
import { HostArray, hostDTypeOf, type Backend } from '@meanflow/core';
import { backendOn, interpret, type Device } from '@meanflow/core/backend';

interface Output {
  readonly name: string;
  readonly value: HostArray;
}

/** @param onRead told the name of every output that is copied to the host */
export function float32Backend(onRead: (name: string) => void = () => {}): Backend {
  const device: Device<Output> = {
    info: {
      backend: 'reference:float32',
      device: 'cpu',
      description: 'the reference interpreter, rounded',
      versions: {},
    },
    float16: true,
    compile: (graph) => ({
      run: (inputs) => {
        const valueOf = (input: HostArray | Output) => (input instanceof HostArray ? input : input.value);
        const given = graph.inputs.map(({ name }, i) => [name, valueOf(inputs[i])] as const);
        const results = interpret(graph, Object.fromEntries(given));
        return graph.outputs.map(({ name, value }) => ({
          name,
          value: results[name].to(hostDTypeOf(graph.types[value].dtype)),
        }));
      },
    }),
    read({ name, value }, { dtype }) {
      onRead(name);
      return value.to(hostDTypeOf(dtype)).data.slice();
    },
  };
  return backendOn(device);
}
