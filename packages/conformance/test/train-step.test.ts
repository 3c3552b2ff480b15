/** What train steps on core alone notice that a backend may get wrong. */
import { HostArray, hostZeros, referenceBackend, type Backend } from '@meanflow/core';
import type { Instruction } from '@meanflow/core/backend';
import { runConformance } from '../src/index.js';
import { scaleOperand, withAlteredGraphs, withAlteredInputs } from '../src/testing.js';

/** Which train steps of a program fail, by what their ids say of them. */
async function failing(backend: Backend): Promise<string[]> {
  const { results } = await runConformance(backend, { filter: ({ op }) => op === 'train step' });
  expect(results).toHaveLength(5);
  return results
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ id }) => id.replace('train step: of a program, ', ''));
}

const [ALONE, AVERAGE, FROZEN, PARTS, RESUMED] = [
  '10 steps',
  '10 steps with an average as teacher',
  '10 steps with a frozen teacher',
  '10 steps, each of a batch in 4 parts',
  'begun again from what was read, ends in the same bits',
];

const isUpdate = (instruction: Instruction) =>
  instruction.op === 'composite' && instruction.attributes.definition.name === 'adamUpdate';

test('a gradient of one parameter that is wrong by one part in 1,000, whichever it is', async () => {
  for (let k = 0; k < 3; k++) {
    const broken = withAlteredGraphs((graph) => scaleOperand(graph, isUpdate, k, 1.001));
    expect(await failing(broken)).toEqual([ALONE, AVERAGE, FROZEN, PARTS]);
  }
});

test('arrays that a run is lent and frees', async () => {
  const reference = referenceBackend();
  const freeing: Backend = {
    ...reference,
    compile: async (graph, options) => {
      const executable = await reference.compile(graph, options);
      return {
        ...executable,
        run: async (inputs, runOptions) => {
          const results = await executable.run(inputs, runOptions);
          for (const input of Object.values(inputs)) if (!(input instanceof HostArray)) input.dispose();
          return results;
        },
      };
    },
  };
  expect(await failing(freeing)).toEqual([FROZEN, PARTS, RESUMED]);
});

test('sums of gradients that are begun anew with every part', async () => {
  const forgetful = withAlteredInputs(() => (inputs) => {
    const isPart = 'batch/x' in inputs && 'sum/head' in inputs;
    const zero = (name: string) => (name === 'sum/head' ? hostZeros([24, 2]) : inputs[name]);
    return isPart ? Object.fromEntries(Object.keys(inputs).map((name) => [name, zero(name)])) : inputs;
  });
  expect(await failing(forgetful)).toEqual([PARTS]);
});
