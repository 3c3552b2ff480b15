import { referenceBackend, type Backend } from '@meanflow/core';
import { runConformance, type Case } from '../src/index.js';

const filter = ({ op }: Case) => op === 'memory';

/** A backend that says how many runs it has not forgotten. */
function forgetful(everyRun: number): Backend & { memory(): { buffers: number } } {
  const reference = referenceBackend();
  let buffers = 7;
  return {
    ...reference,
    memory: () => ({ buffers: Math.floor(buffers) }),
    compile: async (graph, options) => {
      const executable = await reference.compile(graph, options);
      return {
        ...executable,
        run: (inputs) => {
          buffers += everyRun;
          return executable.run(inputs);
        },
      };
    },
  };
}

test('memory that is flat passes, with its figures', async () => {
  const { results } = await runConformance(forgetful(0), { filter });
  expect(results[0]).toMatchObject({
    outcome: 'passed',
    detail: 'The backend’s memory: 7 buffers, then 7 buffers',
  });
});

test('a leak of one buffer in 128 runs does not', async () => {
  const { results } = await runConformance(forgetful(1 / 128), { filter });
  expect(results[0]).toMatchObject({
    outcome: 'failed',
    detail: expect.stringMatching(/was 8 buffers after 200 runs and 22 buffers after 2000/),
  });
});
