import { DisposedError, referenceBackend, spec, trace } from '../../src/index.js';
import { LiveExecutables } from '../../src/backend/live-executables.js';

interface Made {
  dispose(): Promise<void>;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

it('disposes of what is ready, of what is being compiled, and compiles no more', async () => {
  const disposed: string[] = [];
  const executables = new LiveExecutables<Made>('test');
  const made = (name: string): Made => ({ dispose: async () => void disposed.push(name) });
  let finish = (_: Made): void => undefined;
  await executables.compile(async () => made('ready'));
  const removed = await executables.compile(async () => made('removed'));
  executables.remove(removed);
  const late = executables.compile(() => new Promise((resolve) => (finish = resolve)));
  let isClosed = false;
  const closing = executables.close().then(() => (isClosed = true));
  await settled();
  expect([isClosed, disposed]).toEqual([false, ['ready']]);
  finish(made('late'));
  await expect(late).rejects.toThrow(new DisposedError('The backend test was disposed of.'));
  await closing;
  expect(disposed).toEqual(['ready', 'late']);
  await expect(executables.compile(async () => made('after'))).rejects.toThrow(DisposedError);
  await executables.close();
  expect(disposed).toEqual(['ready', 'late']);
});

it('a compilation that fails is not waited for again', async () => {
  const executables = new LiveExecutables<Made>('test');
  await expect(executables.compile(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await executables.close();
});

test('the reference backend compiles and runs nothing once it was disposed of', async () => {
  const backend = referenceBackend();
  const { graph } = trace((x) => x.neg(), spec([1]));
  const executable = await backend.compile(graph);
  await backend.dispose();
  await backend.dispose();
  await expect(backend.compile(graph)).rejects.toThrow(DisposedError);
  await expect(executable.run({})).rejects.toThrow(DisposedError);
});
