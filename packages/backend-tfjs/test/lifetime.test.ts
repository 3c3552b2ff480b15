/** What is left when a backend is disposed of, and that inputs are taken at the call; on every device. */
import { DisposedError, hostArray, mul, spec, trace } from '@meanflow/core';
import { noWebgpu, open } from './support.js';

const double = trace(({ x }) => ({ y: mul(x, 2) }), { x: spec([2]) });
const x = hostArray([1, 2]);

for (const device of ['cpu', 'wasm', 'webgpu'] as const) {
  const reason = device === 'webgpu' ? noWebgpu : undefined;
  (reason === undefined ? describe : describe.skip)(
    `${device}${reason === undefined ? '' : `: ${reason}`}`,
    () => {
      it('a compilation that dispose() overtakes is refused, and a run before it is done', async () => {
        const backend = await open(device);
        const ready = await backend.compile(double.graph);
        const compiling = backend.compile(double.graph);
        const running = ready.run({ x }).then(({ y }) => y.read());
        const disposing = Promise.all([backend.dispose(), backend.dispose()]);
        await expect(compiling).rejects.toThrow(DisposedError);
        const outcome = await running.catch((error: unknown) => error);
        if (!(outcome instanceof DisposedError))
          expect(outcome).toMatchObject({ data: Float32Array.of(2, 4) });
        await disposing;
        await expect(backend.compile(double.graph)).rejects.toThrow(DisposedError);
        await expect(ready.run({ x })).rejects.toThrow(DisposedError);
      });

      it('inputs are taken at the call', async () => {
        const backend = await open(device);
        const executable = await backend.compile(double.graph);
        const given = hostArray([1, 2]);
        const runs = [executable.run({ x: given }), executable.run({ x: given })];
        given.data.fill(9);
        for (const run of runs) expect([...(await (await run).y.read()).data]).toEqual([2, 4]);
        await backend.dispose();
      });
    },
  );
}
