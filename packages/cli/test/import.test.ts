/** `meanflow import`, from a file of published names to a model file, and what it says on the way. */
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { hostArray, sizeOf, treeLeaves, type HostArray } from '@meanflow/core';
import { openModel } from '@meanflow/checkpoints/node';
import { encodeSafetensors } from '@meanflow/formats';
import type { NetworkConfig } from '@meanflow/models';
import { publishedParameters } from '@meanflow/models/published';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const config: NetworkConfig = {
  kind: 'imf-dit',
  featureShape: [4, 4, 4],
  patchSize: 2,
  width: 8,
  depth: 2,
  heads: 2,
  headDepth: 1,
  velocityHead: { depth: 0 },
  classCount: 3,
};

/** Weights under published names below some keys, all of them `value`. */
const weights = (prefix: string, value: number): Record<string, HostArray> =>
  Object.fromEntries(
    publishedParameters(config).map(({ name, shape }) => [
      prefix + name,
      hostArray(new Float32Array(sizeOf(shape)).fill(value), { shape }),
    ]),
  );

beforeAll(async () => {
  const state = {
    ...weights('params/', 1),
    ...weights('ema_params/', 2),
    'ema_params/net/extra': hostArray([0]),
    'opt_state/0/count': hostArray(5, { dtype: 'int32' }),
  };
  await writeFile(folder.path('state'), encodeSafetensors(state, { note: 'tiny' }));
  await writeJson(folder.path('config.json'), config);
});

test('takes the average, says what else is there, and writes a model', async () => {
  const out = folder.path('models', 'tiny.safetensors');
  const outcome = await succeed(
    'import',
    folder.path('state'),
    '--config',
    folder.path('config.json'),
    '--out',
    out,
  );
  expect(outcome.err).toBe(
    'safetensors: 56 tensors of ema_params/net; also there: params/net\n' +
      'Left over, since the model has no such parameters: ema_params/net/extra\n',
  );
  expect(outcome.out).toMatch(
    /^a network of this configuration: 10,744 parameters, float32, \d+(\.\d)? kB: /,
  );
  const { params } = await openModel(out);
  for (const { data } of treeLeaves<HostArray>(params)) expect(new Set(data)).toEqual(new Set([2]));
});

test('meanflow info describes what was written', async () => {
  const { out } = await succeed('info', folder.path('models', 'tiny.safetensors'));
  expect(out).toMatch(/^model +without a name$/m);
  expect(out).toMatch(/^imported +from safetensors, weights ema_params\/net$/m);
  expect(out).toMatch(/^network +.*kind "imf-dit".*width 8/m);
  expect(out).toMatch(/^parameters +10,744 in 56 tensors of F32, 43 kB$/m);
  const { out: json } = await succeed('info', folder.path('models', 'tiny.safetensors'), '--json');
  expect(JSON.parse(json)).toMatchObject({ network: config, origin: { weights: 'ema_params/net' } });
});

test('takes what is asked for, in half precision', async () => {
  const out = folder.path('half.safetensors');
  const args = ['--config', folder.path('config.json'), '--out', out, '--ema', 'none', '--dtype', 'float16'];
  const outcome = await succeed('import', folder.path('state'), ...args);
  expect(outcome.err).toContain('tensors of params/net; also there: ema_params/net\n');
  expect(outcome.out).toContain('float16, ');
});

test('--list tells names, dtypes, shapes, bytes and totals, and writes nothing', async () => {
  const before = await readdir(folder.path());
  const { out } = await succeed('import', folder.path('state'), '--list');
  expect(out).toMatch(/^safetensors\n/);
  expect(out).toMatch(/^ema_params\/net\/class_tokens +F32 +\[8, 8\] +256 bytes$/m);
  expect(out).toMatch(/^opt_state\/0\/count +I32 +\[\] +4 bytes$/m);
  expect(out).toContain('note = "tiny"\n');
  expect(out).toMatch(/\n114 tensors, [\d,]+ numbers, [\d.]+ kB; 1 other values\n$/);
  expect(await readdir(folder.path())).toEqual(before);
});

test.each<[string, readonly string[], number, RegExp]>([
  ['a model of another name', ['--model', 'imf-dit-b-3'], 2, /no published model "imf-dit-b-3".*imf-dit-b-2/],
  ['a model that it is not', ['--model', 'imf-dit-b-2'], 1, /not those of "imf-dit-b-2": /],
  ['weights that are not there', ['--config', 'CONFIG', '--ema', 'net_ema'], 2, /no weights "net_ema"/],
  ['a model and a configuration', ['--config', 'CONFIG', '--model', 'x'], 2, /--model or --config, not both/],
  ['a list and a file', ['--list', '--ema', 'none'], 2, /--ema and --list exclude each other/],
  ['a dtype that is none', ['--dtype', 'float8'], 2, /Allowed choices are float32, float16/],
])('%s is an error, and writes nothing', async (_, args, status, message) => {
  const out = folder.path('wrong', 'x.safetensors');
  const given = args.map((arg) => (arg === 'CONFIG' ? folder.path('config.json') : arg));
  const place = args.includes('--list') ? [] : ['--out', out];
  const outcome = await meanflow('import', folder.path('state'), ...given, ...place);
  expect(outcome.err).toMatch(message);
  expect(outcome.status).toBe(status);
  expect(existsSync(folder.path('wrong'))).toBe(false);
});

test('what is no checkpoint, or is not there', async () => {
  await writeFile(folder.path('text'), 'not a checkpoint');
  expect(await meanflow('import', folder.path('text'))).toMatchObject({
    status: 1,
    err: expect.stringContaining('is text, not a checkpoint'),
  });
  expect(await meanflow('import', folder.path('nowhere'))).toMatchObject({
    status: 1,
    err: expect.stringContaining('there is no such file or directory'),
  });
});
