/** Parity with cases of other sizes and settings than those of the shared set, and what a case may leave out or say instead. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostArray, type HostArray, referenceBackend } from '@meanflow/core';
import { decodeSafetensors, encodeSafetensors, type JsonObject } from '@meanflow/formats';
import { parityCommand, runParity } from '../src/node.js';

const dataOf = (name: string): string => fileURLToPath(new URL(`data/${name}`, import.meta.url));
const backend = referenceBackend();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'second-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => join(directory, name);

function copy(set: string, ...names: string[]): void {
  for (const name of names) {
    for (const ending of ['.json', '.safetensors'])
      cpSync(join(dataOf(set), name + ending), at(name + ending));
  }
}

function rewriteJson(name: string, change: (facts: JsonObject) => object): void {
  const facts = JSON.parse(readFileSync(at(`${name}.json`), 'utf8')) as JsonObject;
  writeFileSync(at(`${name}.json`), JSON.stringify(change(facts)));
}

function writeTensors(name: string, tensors: Record<string, HostArray>): void {
  writeFileSync(at(`${name}.safetensors`), encodeSafetensors(tensors));
}

const resultOf = async (name: string) =>
  (await runParity(directory, backend)).find((result) => result.name === name)!;

test('every case of the second set agrees with the published code', async () => {
  const { results, exitCode } = await parityCommand(dataOf('second'), backend);
  const cases = readdirSync(dataOf('second')).filter((file) => file.endsWith('.json'));
  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  expect(results).toHaveLength(cases.length);
  expect(exitCode).toBe(0);
});

test.each([[null], ['']])('guidance_eq %j is no guidance, as in the published code', async (equation) => {
  copy('transformers', 'mf-loss-none', 'mf-params');
  rewriteJson('mf-loss-none', ({ method, ...facts }) => ({
    ...facts,
    method: { ...(method as JsonObject), guidance_eq: equation },
  }));
  expect(await resultOf('mf-loss-none')).toMatchObject({ outcome: 'passed' });
});

test('warm-up and cosine decay are those of the published code', async () => {
  copy('transformers', 'imf-train', 'imf-params');
  rewriteJson('imf-train', ({ tensors: _, optimizer, ...facts }) => {
    const schedule = { lr_schedule: 'warmup_cosine', warmup_steps: 2, total_steps: 7, lr_min_factor: 0.1 };
    return { ...facts, optimizer: { ...(optimizer as JsonObject), base_lr: 1e-3, ...schedule } };
  });
  // Its function for this schedule, with steps for epochs, on optax 0.2.8.
  const rates = hostArray([0, 0.0005000000237487257, 0.0010000000474974513, 0.0007750000222586095, 0.000324999971780926]); // prettier-ignore
  const { tensors } = decodeSafetensors(readFileSync(at('imf-train.safetensors')));
  writeTensors('imf-train', { ...tensors, 'out/lr': rates });
  const result = await resultOf('imf-train');
  const compared = 'tensors' in result ? result.tensors : [];
  expect(compared.find(({ tensor }) => tensor === 'out/lr')).toMatchObject({ passed: true });
  // The parameters are of other rates.
  expect(result.outcome).toBe('failed');
});

test.each([
  ['full rank', 2, 1e-9],
  ['a singular one', 0, 1e-7],
])('a Fréchet distance is held to what its covariances allow: %s', async (_, last, relative) => {
  const values = { given_f32stats: 13 + (2 - Math.sqrt(last)) ** 2 };
  writeFileSync(at('frechet.json'), JSON.stringify({ case: 'frechet', values }));
  writeTensors('frechet', {
    'in/mu1': hostArray([0, 0]),
    'in/sigma1': hostArray([[4, 0], [0, 4]]), // prettier-ignore
    'in/mu2': hostArray([2, 3]),
    'in/sigma2': hostArray([[4, 0], [0, last]]), // prettier-ignore
  });
  const result = await resultOf('frechet');
  expect(result).toMatchObject({ outcome: 'passed' });
  const [{ tolerance }] = 'tensors' in result ? result.tensors : [];
  expect(tolerance).toBeCloseTo(relative * (8 + 4 + last + 13), 15);
});

test('the rate of a warm-up of no steps is the base from the first step on', async () => {
  cpSync(join(dataOf('parity'), 'unet-schedules.json'), at('unet-schedules.json'));
  rewriteJson('unet-schedules', ({ lr: _, ...facts }) => ({
    ...facts,
    lr: { base: 6e-4, warmup_iters: 0, lr_used_at_step: [6e-4, 6e-4] },
  }));
  expect(await resultOf('unet-schedules')).toMatchObject({ outcome: 'passed' });
});

describe('the other cases are run all the same', () => {
  beforeEach(() => copy('parity', 'imf-sampler'));
  const both = async () => {
    const { results, exitCode } = await parityCommand(directory, backend);
    expect(results).toHaveLength(2);
    expect(results.find(({ name }) => name === 'imf-sampler')).toMatchObject({ outcome: 'passed' });
    expect(exitCode).toBe(1);
    return results.find(({ name }) => name !== 'imf-sampler');
  };

  test('when a list of tensors is none', async () => {
    copy('parity', 'mf-sampler');
    rewriteJson('mf-sampler', (facts) => ({ ...facts, tensors: { 'in/normal_t': 'float32' } }));
    const reason = 'mf-sampler.json: "tensors.in/normal_t" must be a dtype and a shape, got "float32".';
    expect(await both()).toMatchObject({ outcome: 'damaged', reason });
  });

  test('when a file or a directory belongs to no case', async () => {
    writeFileSync(at('index.html'), '');
    const reason = 'neither <case>.json nor <case>.safetensors';
    expect(await both()).toMatchObject({ name: 'index.html', outcome: 'unknown', reason });
    rmSync(at('index.html'));
    mkdirSync(at('mf-sampler.json'));
    expect(await both()).toMatchObject({ name: 'mf-sampler.json/', outcome: 'unknown' });
  });

  test('when a network is of a depth that nobody could mean', async () => {
    copy('second', 'mf-dit');
    rewriteJson('mf-dit', ({ config, ...facts }) => ({
      ...facts,
      config: { ...(config as JsonObject), depth: 1e9 },
    }));
    const problem = 'mf-dit.json: "config.depth" is at most 1000, got 1000000000.';
    expect(await both()).toMatchObject({ outcome: 'failed', problem });
  });
});
