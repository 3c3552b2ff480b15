/**
 * oneAtATime: an ONNX Runtime whose sessions take turns. In browsers a WebGPU session waits for the GPU in the middle of a call, by
 * unwinding the stack of the WebAssembly module that all sessions share: a second call in the meantime waits for ever (seen
 * in onnxruntime-web 1.30). In Node a call returns before the next one can begin, so the turns cost nothing.
 */
import type { DeviceLoss } from '@meanflow/core/backend';
import type { OrtModule, OrtSession } from './runtime.js';

/** The last call of each runtime, known by its `env`, of which each has one. */
const lastCalls = new WeakMap<object, Promise<unknown>>();

/**
 * The runtime, with every call on its sessions made after the one before has ended.
 *
 * @param loss with which calls end that wait for a device that is gone
 */
export function oneAtATime({ env, Tensor, InferenceSession }: OrtModule, loss?: DeviceLoss): OrtModule {
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => {
    const raced = () => (loss === undefined ? call() : loss.race(call));
    const result = (lastCalls.get(env) ?? Promise.resolve()).then(raced);
    // Only waited for: what it returned must not be kept alive, nor its failure be passed on.
    lastCalls.set(env, result.then(nothing, nothing));
    return result;
  };
  const takingTurns = (session: OrtSession): OrtSession => ({
    run: (feeds) => inTurn(() => session.run(feeds)),
    release: () => inTurn(() => session.release()),
  });
  return {
    env,
    Tensor,
    InferenceSession: {
      create: async (model, options) =>
        takingTurns(await inTurn(() => InferenceSession.create(model, options))),
    },
  };
}

const nothing = (): void => undefined;
