/** What is left when a backend is disposed of: nothing, whatever was under way. */
import { DisposedError, hostArray, mul, spec, trace } from '@meanflow/core';
import { ortBackend, type OrtBackendOptions } from '../src/index.js';
import { ort } from './support.js';

const double = trace(({ x }) => ({ y: mul(x, 2) }), { x: spec([2]) });
const x = hostArray([1, 2]);

/** A backend, and how many sessions it has. */
async function counted() {
  const module = (await ort()) as unknown as {
    InferenceSession: { create(...args: never[]): Promise<{ release(): Promise<void> }> };
  };
  let live = 0;
  const counting = {
    ...module,
    InferenceSession: {
      create: async (...args: never[]) => {
        const session = await module.InferenceSession.create(...args);
        live += 1;
        const release = session.release.bind(session);
        session.release = async () => {
          live -= 1;
          await release();
        };
        return session;
      },
    },
  };
  const backend = await ortBackend({ ort: counting as unknown as OrtBackendOptions['ort'], threads: 1 });
  return { backend, live: () => live };
}

it('a compilation that dispose() overtakes leaves no session', async () => {
  const { backend, live } = await counted();
  const ready = await backend.compile(double.graph);
  const compiling = backend.compile(double.graph);
  const running = ready.run({ x });
  const disposing = Promise.all([backend.dispose(), backend.dispose()]);
  await expect(compiling).rejects.toThrow(new DisposedError('The backend ort:cpu was disposed of.'));
  // A run that was asked for before is done, and what it gave stays.
  expect([...(await (await running).y.read()).data]).toEqual([2, 4]);
  await disposing;
  expect(live()).toBe(0);
  await expect(backend.compile(double.graph)).rejects.toThrow(DisposedError);
  await expect(ready.run({ x })).rejects.toThrow(DisposedError);
  expect(live()).toBe(0);
});

it('inputs are taken at the call', async () => {
  const backend = await ortBackend({ ort, threads: 1 });
  const executable = await backend.compile(double.graph);
  const given = hostArray([1, 2]);
  const [first, second] = [executable.run({ x: given }), executable.run({ x: given })];
  given.data.fill(9);
  for (const run of [first, second]) expect([...(await (await run).y.read()).data]).toEqual([2, 4]);
  await backend.dispose();
});
