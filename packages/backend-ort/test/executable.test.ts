/** What executables of ONNX Runtime do beyond what the conformance kit asks of any. */
import * as mf from '@meanflow/core';
import { executableTests } from '@meanflow/conformance/testing';
import { ortBackend } from '../src/index.js';
import { backend, normal, ort } from './support.js';

const { graph: counter } = mf.trace(
  ({ state, step }: { state: mf.Tensor; step: mf.Tensor }) => ({
    state: state.add(step),
    twice: state.mul(2),
  }),
  { state: mf.spec([3]), step: mf.spec([]) },
  { name: 'counter' },
);

executableTests({ test, backend });
describe('by the public binding', () => {
  const opened = ortBackend({ ort, threads: 2, binding: 'public' });
  afterAll(async () => (await opened).dispose());
  executableTests({ test, backend: () => opened });
});

test('the process’s memory stays flat over 2,000 runs', async () => {
  const { graph } = mf.trace((x: mf.Tensor) => x.mul(0.5).add(1), mf.spec([64, 256]));
  const executable = await (await backend()).compile(graph, { state: { input: 'output' } });
  const run = async (count: number, x: mf.RunInput) => {
    for (let i = 0; i < count; i++) x = (await executable.run({ input: x })).output;
    return x;
  };
  const x = await run(500, normal([64, 256]));
  const before = process.memoryUsage();
  await run(2000, x);
  const after = process.memoryUsage();
  // 2,000 results are 131 MB: had they been kept, either bound would be passed.
  const MB = 2 ** 20;
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(80 * MB);
  expect(after.rss - before.rss).toBeLessThan(80 * MB);
  await executable.dispose();
});

test('every session is released, the probe of the backend included', async () => {
  const module = await import('onnxruntime-node');
  let [created, released] = [0, 0];
  const counting = {
    env: module.env,
    Tensor: module.Tensor,
    InferenceSession: {
      async create(model: Uint8Array, options: object) {
        const session = await module.InferenceSession.create(model, options);
        created += 1;
        const release = session.release.bind(session);
        session.release = async () => {
          released += 1;
          await release();
        };
        return session;
      },
    },
  };
  const own = await ortBackend({ ort: async () => counting, threads: 1 });
  const executables = await Promise.all([own.compile(counter), own.compile(counter), own.compile(counter)]);
  await executables[0].dispose();
  await executables[0].dispose();
  expect([created, released]).toEqual([4, 2]);
  await own.dispose();
  expect([created, released]).toEqual([4, 4]);
});
