/**
 * Trains a run in a folder, draws sevens from its model with one network evaluation each, and keeps the model alone in a file: what the
 * `meanflow` command does, as a program.
 *
 *     npm run build && node examples/dist/run-by-code.js [steps] [folder]
 */
import { openBackend, openModel, saveModel, trainRun } from '@meanflow/runs/node';

const [steps = '2000', folder = 'runs/digits-by-code'] = process.argv.slice(2);
const backend = await openBackend('ort:cpu');
const run = await trainRun({ data: 'digits', steps: Number(steps) }, { backend, folder });
const model = await run.model();
export const samples = await model.sample({ count: 16, class: 7, seed: 0, backend });
console.log(`${run.summary.step} steps in ${folder}; samples [${samples.values.shape.join(', ')}]`);

const file = `${folder}.safetensors`;
const bytes = await saveModel(model, file);
const saved = await openModel(file);
export const again = await saved.sample({ count: 16, class: 7, seed: 0, backend });
console.log(`The model alone: ${file}, ${bytes} bytes`);
await backend.dispose();
