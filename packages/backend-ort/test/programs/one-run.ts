/** Opens the backend and runs a graph once; with `given`, on a module that the program has imported by itself before. */
import { compile, hostArray, trace } from '@meanflow/core';
import { ortBackend } from '../../src/index.js';

const load = () => import('onnxruntime-node');
const ort = process.argv[2] === 'given' ? await load() : load;
const backend = await ortBackend({ ort, threads: 1 });
const x = hostArray([1, 2]);
const double = await compile(
  backend,
  trace(({ x }) => x.mul(2), { x }),
);
console.log(String((await (await double.run({ x })).read()).data));
await backend.dispose();
