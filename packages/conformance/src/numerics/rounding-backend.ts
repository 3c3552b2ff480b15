/**
 * roundingBackend: the reference interpreter with float32's roundings drawn at random, behind the Backend contract. What a
 * whole training run or sampler does on it, seed by seed, is how far float32 may drift; see rounded-graph.ts.
 */
import { RandomKey, referenceBackend, type Backend } from '@meanflow/core';
import { drawRoundings, roundedGraph } from './rounded-graph.js';

/** A backend whose roundings follow from `seed`. */
export function roundingBackend(seed: number): Backend {
  const reference = referenceBackend();
  let compiled = 0;
  return {
    name: `rounding:${seed}`,
    describe: () => ({
      backend: `rounding:${seed}`,
      device: 'cpu',
      description: 'float64 reference interpreter with random float32 roundings',
      versions: {},
    }),
    async compile(graph, options) {
      const { graph: rounded, sites } = roundedGraph(graph);
      const key = RandomKey.fromSeed(seed).fold('roundings').fold(compiled++);
      const executable = await reference.compile(rounded, options);
      let runs = 0;
      return {
        graph,
        run: (inputs, runOptions) =>
          executable.run({ ...inputs, ...drawRoundings(sites, key.fold(runs++)) }, runOptions),
        dispose: () => executable.dispose(),
        [Symbol.asyncDispose]: () => executable.dispose(),
      };
    },
    dispose: () => reference.dispose(),
    [Symbol.asyncDispose]: () => reference.dispose(),
  };
}
