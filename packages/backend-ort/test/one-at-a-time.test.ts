import type { InferenceSession } from 'onnxruntime-common';
import { oneAtATime } from '../src/one-at-a-time.js';
import type { OrtModule } from '../src/runtime.js';
import { ort } from './support.js';

/** A runtime whose calls end when they are told to, and that logs when they begin and end. */
async function slowRuntime() {
  const { env, Tensor } = await ort();
  const log: string[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const call = <T>(name: string, value: T): Promise<T> => {
    log.push(`${name} begins`);
    return new Promise<T>((resolve, reject) =>
      ends.push((error) => {
        log.push(`${name} ends`);
        if (error === undefined) resolve(value);
        else reject(error);
      }),
    );
  };
  const session = (name: string) => ({
    run: () => call<InferenceSession.ReturnType>(`run of ${name}`, {}),
    release: () => call(`release of ${name}`, undefined),
  });
  let made = 0;
  const module: OrtModule = {
    // Of its own, so that tests do not wait for each other.
    env: { ...env },
    Tensor,
    InferenceSession: { create: () => call('create', session('abc'[made++])) },
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  const endNext = async (error?: Error) => {
    await settle();
    ends.shift()!(error);
    await settle();
  };
  return { module, log, endNext, settle };
}

const model = new Uint8Array();

test('calls on all sessions of a runtime are made one after the other', async () => {
  const { module, log, endNext, settle } = await slowRuntime();
  // Two backends wrap the runtime each for itself.
  const [first, second] = [oneAtATime(module), oneAtATime(module)];
  const creating = [first.InferenceSession.create(model, {}), second.InferenceSession.create(model, {})];
  await endNext();
  await endNext();
  const [a, b] = await Promise.all(creating);
  log.length = 0;
  const calls = [a.run({}), b.run({}), a.release(), b.run({})];
  await settle();
  expect(log).toEqual(['run of a begins']);
  for (let i = 0; i < 4; i++) await endNext();
  await Promise.all(calls);
  expect(log).toEqual(
    ['run of a', 'run of b', 'release of a', 'run of b'].flatMap((name) => [
      `${name} begins`,
      `${name} ends`,
    ]),
  );
});

test('a call that fails fails alone', async () => {
  const { module, endNext } = await slowRuntime();
  const creating = oneAtATime(module).InferenceSession.create(model, {});
  await endNext();
  const session = await creating;
  const runs = [session.run({}), session.run({})];
  const failed = expect(runs[0]).rejects.toThrow('out of memory');
  await endNext(new Error('out of memory'));
  await endNext();
  await failed;
  await expect(runs[1]).resolves.toEqual({});
});
