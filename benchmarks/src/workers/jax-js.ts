/** A case on jax-js in WebAssembly: `node jax-js.js FOLDER`. */
import { readCase } from '../case-folder.js';
import { jaxJsStep } from '../script/jax-js.js';
import { say, serveTraining } from './serve.js';

say('imported');
const { benchmark, ...workload } = readCase(process.argv[2] ?? '');
if (benchmark.task !== 'train') throw new Error('jax-js has train steps here only.');
const { step, gradientNorm } = await jaxJsStep('wasm', benchmark, workload);
await serveTraining(step, async () => ({ gradientNorm: await gradientNorm() }));
process.exit(0);
