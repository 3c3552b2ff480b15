/** What the case on memory says of backends that leak, and of one that does not. */
import { referenceBackend, type Backend } from '@meanflow/core';
import { runConformance, type Case, type CaseResult } from '../src/index.js';

async function memoryOf(backend: Backend): Promise<CaseResult> {
  const { results } = await runConformance(backend, {
    filter: ({ id }: Case) => id.startsWith('memory: after'),
  });
  expect(results).toHaveLength(1);
  return results[0];
}

/** The reference, which does something after every run. */
function afterEveryRun(act: (run: number) => void): Backend {
  const reference = referenceBackend();
  return {
    ...reference,
    compile: async (graph, options) => {
      const executable = await reference.compile(graph, options);
      let runs = 0;
      return {
        ...executable,
        run: (inputs) => {
          act(++runs);
          return executable.run(inputs);
        },
      };
    },
  };
}

/** A backend with an account of its own, in which buffers stay behind. */
function forgetful(everyRun: number): Backend & { memory(): { buffers: number } } {
  let buffers = 7;
  return { ...afterEveryRun(() => (buffers += everyRun)), memory: () => ({ buffers: Math.floor(buffers) }) };
}

test('memory that is flat passes, with its figures', async () => {
  const { outcome, detail } = await memoryOf(forgetful(0));
  expect(outcome).toBe('passed');
  expect(detail).toMatch(
    /^the backend’s memory: 7 buffers, then 7 buffers; arrays in JavaScript: \d+ bytes, then \d+ bytes$/,
  );
});

test('a leak of one buffer in 128 runs does not, by the backend’s own account', async () => {
  expect(await memoryOf(forgetful(1 / 128))).toMatchObject({
    outcome: 'failed',
    detail: expect.stringMatching(/memory: 8 buffers after 200 runs, 22 buffers after 2000/),
  });
});

test('a leak of one array of 64 KB in 100 runs does not, without such an account', async () => {
  const kept: Float32Array[] = [];
  const leaking = afterEveryRun((run) => {
    if (run % 100 === 0) kept.push(new Float32Array(2 ** 14));
  });
  expect(await memoryOf(leaking)).toMatchObject({
    outcome: 'failed',
    detail: expect.stringMatching(/arrays in JavaScript: \d+ bytes after 200 runs, \d+ bytes after 2000/),
  });
  expect(kept).toHaveLength(20);
});

test('garbage that has not been collected is no leak', async () => {
  expect(await memoryOf(afterEveryRun(() => void new Float32Array(2 ** 14).fill(1)))).toMatchObject({
    outcome: 'passed',
  });
});
