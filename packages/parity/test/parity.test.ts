import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostArray, type HostArray, referenceBackend } from '@meanflow/core';
import { decodeSafetensors, encodeSafetensors } from '@meanflow/formats';
import { parityCommand } from '../src/node.js';

const data = fileURLToPath(new URL('data/parity', import.meta.url));
const backend = referenceBackend();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parity-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const copy = (...names: string[]) => {
  for (const name of names) cpSync(join(data, name), join(directory, name));
};
const copyCase = (name: string) => copy(`${name}.json`, `${name}.safetensors`);
const at = (name: string) => join(directory, name);

/** Rewrites a copied case's tensors. */
function rewrite(name: string, change: (tensors: Record<string, HostArray>) => void): void {
  const { tensors } = decodeSafetensors(readFileSync(at(`${name}.safetensors`)));
  const changed = { ...tensors };
  change(changed);
  writeFileSync(at(`${name}.safetensors`), encodeSafetensors(changed));
}

test('every case without a network agrees with the published code', async () => {
  const { results, output, exitCode } = await parityCommand(data, backend);
  expect(results.map(({ name, outcome }) => [name, outcome])).toEqual([
    ['frechet', 'passed'],
    ['imf-sampler', 'passed'],
    ['mf-sampler', 'passed'],
    ['pmf-sampler', 'passed'],
    ['unet-sampler', 'passed'],
    ['unet-schedules', 'passed'],
  ]);
  expect(exitCode).toBe(0);
  expect(output).toMatch(/out\/omega_beta_2\.0 +\S+ +9\.8e-7 /);
  expect(output).toContain('6 cases: 6 passed');
});

test('another number of rows, share and distribution', async () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const [normalT, normalR] = [[0.3, -1, 0.5, 2, -0.2], [1.1, 0.4, -0.7, 0.9, -0.1]]; // prettier-ignore
  const [a, b] = [normalT, normalR].map((list) => list.map((n) => sigmoid(0.2 + 0.5 * n)));
  const t = a.map((x, i) => Math.max(x, b[i]));
  const r = a.map((x, i) => (i < 2 ? t[i] : Math.min(x, b[i])));
  const tensors = { 'in/normal_t': normalT, 'in/normal_r': normalR, 'out/t': t, 'out/r': r };
  writeFileSync(
    at('mf-sampler.safetensors'),
    encodeSafetensors(Object.fromEntries(Object.entries(tensors).map(([k, v]) => [k, hostArray(v)]))),
  );
  const facts = { case: 'mf-sampler', P_mean: 0.2, P_std: 0.5, data_proportion: 0.5 };
  writeFileSync(at('mf-sampler.json'), JSON.stringify(facts));
  const { exitCode, results } = await parityCommand(directory, backend);
  expect(results[0]).toMatchObject({ outcome: 'passed' });
  expect(exitCode).toBe(0);
  writeFileSync(at('mf-sampler.json'), JSON.stringify({ ...facts, data_proportion: 0.7 }));
  expect((await parityCommand(directory, backend)).exitCode).toBe(1);
});

describe('exits with 1', () => {
  const outcome = async () => {
    const { results, exitCode, output } = await parityCommand(directory, backend);
    expect(exitCode).toBe(1);
    expect(results).toHaveLength(1);
    return { ...results[0], output };
  };

  test('when a tensor is outside its tolerance, naming it', async () => {
    copyCase('mf-sampler');
    rewrite('mf-sampler', (tensors) => {
      const t = tensors['out64/t'].clone();
      t.data[3] += 1e-6;
      tensors['out64/t'] = t;
    });
    const { outcome: result, output } = await outcome();
    expect(result).toBe('failed');
    expect(output).toMatch(/out\/t +1\.0e-6 .* OUTSIDE/);
    expect(output).not.toMatch(/out\/r .* OUTSIDE/);
  });

  test('when an output is one that nothing computes', async () => {
    copyCase('mf-sampler');
    const facts = JSON.parse(readFileSync(at('mf-sampler.json'), 'utf8'));
    writeFileSync(at('mf-sampler.json'), JSON.stringify({ ...facts, tensors: undefined }));
    rewrite('mf-sampler', (tensors) => (tensors['out/s'] = hostArray([1])));
    expect(await outcome()).toMatchObject({
      outcome: 'failed',
      problem: expect.stringContaining('nothing here computes "out/s"'),
    });
  });

  test('when a setting is missing', async () => {
    copyCase('mf-sampler');
    writeFileSync(at('mf-sampler.json'), '{"P_mean": 0}');
    expect(await outcome()).toMatchObject({
      outcome: 'failed',
      problem: 'mf-sampler.json: "P_std" must be a number, got undefined.',
    });
  });

  test('when a case is unknown', async () => {
    writeFileSync(at('xmf-sampler.json'), '{}');
    writeFileSync(at('xmf-sampler.safetensors'), encodeSafetensors({}));
    expect(await outcome()).toMatchObject({ outcome: 'unknown', reason: 'there is no case "xmf-sampler"' });
  });

  test.each(['case.npz', 'other/'])('when there is something else: %s', async (name) => {
    if (name.endsWith('/')) mkdtempSync(at('other'));
    else writeFileSync(at(name), '');
    expect((await outcome()).outcome).toMatch(/unknown|damaged/);
  });

  const damages: readonly (readonly [string, () => void, RegExp])[] = [
    ['truncated tensors', () => writeFileSync(at('mf-sampler.safetensors'), readFileSync(join(data, 'mf-sampler.safetensors')).subarray(0, 700)), /truncated/],
    ['no tensors', () => rmSync(at('mf-sampler.safetensors')), /mf-sampler\.safetensors is missing/],
    ['no JSON', () => rmSync(at('mf-sampler.json')), /mf-sampler\.json is missing/],
    ['JSON that is none', () => writeFileSync(at('mf-sampler.json'), '{"P_mean":'), /is not JSON/],
    ['JSON that is a list', () => writeFileSync(at('mf-sampler.json'), '[]'), /must hold an object/],
    ['a NaN', () => rewrite('mf-sampler', (tensors) => void (tensors['in/normal_t'].data[2] = NaN)), /"in\/normal_t" holds NaN at position 2/],
    ['a tensor less', () => rewrite('mf-sampler', (tensors) => delete tensors['out/t']), /lacks "out\/t"/],
    ['a tensor of another shape', () => rewrite('mf-sampler', (tensors) => (tensors['out/t'] = hostArray([1, 2]))), /"out\/t" is float32\[2\], its JSON says float32\[16\]/],
  ]; // prettier-ignore
  test.each(damages)('when a file is damaged: %s', async (_, damage, reason) => {
    copyCase('mf-sampler');
    damage();
    expect(await outcome()).toMatchObject({ outcome: 'damaged', reason: expect.stringMatching(reason) });
  });
});

test('a directory that is not there, or empty, is an error', async () => {
  await expect(parityCommand(at('nowhere'), backend)).rejects.toThrow(/nowhere cannot be read/);
  await expect(parityCommand(directory, backend)).rejects.toThrow(/holds no parity cases/);
});
