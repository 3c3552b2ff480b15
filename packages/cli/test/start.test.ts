/** What is loaded to explain the command: nothing that only work needs. */
import { startProgram } from './support/process.js';

/** Libraries that take longer to load than all of the command's help. */
const heavy = ['zod', 'd3-scale', 'sharp', 'onnxruntime-node', 'fast-png', '@tensorflow/tfjs-core'];
/** Our own packages that the help of a command has no use for. */
const working = ['backend-ort', 'backend-tfjs', 'training', 'data', 'classifier', 'metrics', 'models'];

/** The URLs of all modules that a command loads. */
async function modulesOf(...args: string[]): Promise<string[]> {
  const { status, err } = await startProgram('./list-modules.mjs', args).end;
  expect(status).toBe(0);
  return err
    .split('\n')
    .filter((line) => line.startsWith('loaded '))
    .map((line) => line.slice('loaded '.length));
}

it.each([
  [[], ['--version']],
  [[], ['--help']],
  [['train'], ['train', '--help']],
  [['sample'], ['help', 'sample']],
  [['evaluate'], ['evaluate', '--help']],
])('loads of the commands %j to say what "meanflow %j" asks for, and no library', async (described, args) => {
  const modules = await modulesOf(...args);
  const loaded = (part: string): string[] => modules.filter((url) => url.includes(part));
  const faces = loaded('/cli/src/commands/').map((url) => url.replace(/.*\/|\.ts$/g, ''));
  const shared = [
    'index',
    'option-name',
    'options',
    'config-options',
    'data-options',
    'feature-options',
    'training-options',
    'command',
  ];
  expect(faces.filter((name) => !shared.includes(name))).toEqual(described);
  expect(loaded('/commander/')).not.toEqual([]);
  expect(heavy.flatMap((name) => loaded(`/node_modules/${name}/`))).toEqual([]);
  expect(working.flatMap((name) => loaded(`/packages/${name}/`))).toEqual([]);
  expect(loaded('/cli/src/actions/')).toEqual([]);
});
