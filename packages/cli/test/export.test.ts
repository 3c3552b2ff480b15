/** `export`: files that plain ONNX Runtime runs, and that give what `sample` gives. */
import { readFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { RandomKey } from '@meanflow/core';
import * as ort from 'onnxruntime-node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();

beforeAll(async () => {
  const points = await writeJson(folder.path('points.json'), tinyConfig);
  await succeed('train', '--config', points, '--out', folder.path('points'));
  const digits = await writeJson(folder.path('digits.json'), {
    ...tinyConfig,
    data: 'digits',
    method: 'improved-meanflow',
    conditional: true,
    network: { kind: 'residual-mlp', width: 8, depth: 1, guidance: true },
    objective: { kind: 'improved-meanflow', guidance: {} },
    sampling: { ema: 0.5, nfe: [1, 2], guidance: { scale: 2 } },
  });
  await succeed('train', '--config', digits, '--out', folder.path('digits'));
});

type Feeds = Record<string, ort.Tensor>;

/** Runs a file with onnxruntime-node alone. */
async function outputOf(file: string, feeds: Feeds): Promise<number[]> {
  const session = await ort.InferenceSession.create(file);
  const { samples } = await session.run(feeds);
  await session.release();
  return Array.from(samples.data as Float32Array);
}

/** The rows that `sample` writes, without the class. */
async function sampled(...args: string[]): Promise<number[]> {
  const { out } = await succeed('sample', ...args, '--out', '-');
  const [head, ...lines] = out.trim().split('\n');
  const columns = head.split(',').filter((name) => name !== 'class').length;
  return lines.flatMap((line) => line.split(',').slice(0, columns).map(Number));
}

/** The noise that `sample --seed 0` starts from. */
const noise = (...shape: number[]) =>
  new ort.Tensor('float32', RandomKey.fromSeed(0).fold('sample').fold('noise').normal(shape).data, shape);

function expectSame(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...got.map((value, i) => Math.abs(value - wanted[i])));
  expect(worst / scale).toBeLessThan(2e-6);
}

it.each([1, 2])('a sampler of %d NFE is one file, and gives what sample gives', async (nfe) => {
  const file = folder.path('out', `points-${nfe}.onnx`);
  const args = ['--nfe', String(nfe)];
  const { err } = await succeed('export', folder.path('points'), ...args, '--batch', '5', '--out', file);
  expect(err).toContain(`${nfe} NFE`);
  expect(err).toContain('noise float32[5, 2]');
  const wanted = await sampled(folder.path('points'), ...args, '--count', '5');
  expectSame(await outputOf(file, { noise: noise(5, 2) }), wanted);
});

it('float16 halves the parameters, and gives nearly the same', async () => {
  const [full, half] = ['float32', 'float16'].map((dtype) => folder.path('out', `${dtype}.onnx`));
  for (const [dtype, file] of Object.entries({ float32: full, float16: half })) {
    await succeed('export', folder.path('points'), '--nfe', '1', '--dtype', dtype, '--out', file);
  }
  expect(readFileSync(half).length).toBeLessThan(readFileSync(full).length);
  const [wanted, got] = await Promise.all([full, half].map((file) => outputOf(file, { noise: noise(1, 2) })));
  const worst = Math.max(...got.map((value, i) => Math.abs(value - wanted[i])));
  expect(worst).toBeGreaterThan(0);
  // Rounded to 11 bits.
  expect(worst).toBeLessThan(0.01);
});

it('classes are an input; guidance is part of the file, or an input', async () => {
  const label = new ort.Tensor(
    'int32',
    Int32Array.from({ length: 10 }, (_, i) => i),
    [10],
  );
  const feeds = { noise: noise(10, 64), label };
  const args = [folder.path('digits'), '--nfe', '1'];
  const file = folder.path('digits.onnx');
  await succeed('export', ...args, '--guidance', '3', '--batch', '10', '--out', file);
  const wanted = await sampled(...args, '--guidance', '3', '--count', '10');
  expectSame(await outputOf(file, feeds), wanted);
  // The last row of the network's table is that of no class: it is no label either.
  const noClasses = new ort.Tensor('int32', Int32Array.of(0, 10, 2, -1, 4, 11, 6, 2 ** 31 - 1, 8, 9), [10]);
  const astray = await outputOf(file, { ...feeds, label: noClasses });
  expectSame(
    astray.map((x, i) => (Number.isNaN(x) ? wanted[i] : x)),
    wanted,
  );
  const missing = astray.flatMap((x, i) => (Number.isNaN(x) ? [Math.floor(i / 64)] : []));
  expect(missing).toEqual([1, 3, 5, 7].flatMap((row) => Array.from({ length: 64 }, () => row)));
  await succeed('export', ...args, '--guidance-inputs', '--batch', '10', '--out', file);
  const scalar = (value: number) => new ort.Tensor('float32', [value], []);
  const guided = (omega: number) =>
    outputOf(file, { ...feeds, omega: scalar(omega), t_min: scalar(0), t_max: scalar(1) });
  expectSame(await guided(3), wanted);
  expect(await guided(1)).not.toEqual(await guided(3));
});

it('a repository of the Triton server has the configuration beside the version', async () => {
  const repository = folder.path('models');
  await succeed(
    'export',
    folder.path('digits'),
    '--guidance-inputs',
    '--triton',
    repository,
    '--name',
    'digits',
  );
  expect(existsSync(folder.path('models', 'digits', '1', 'model.onnx'))).toBe(true);
  const config = await readFile(folder.path('models', 'digits', 'config.pbtxt'), 'utf8');
  expect(config).toMatchInlineSnapshot(`
    "name: "digits"
    backend: "onnxruntime"
    max_batch_size: 0
    input [
      {
        name: "label"
        data_type: TYPE_INT32
        dims: [ 1 ]
      },
      {
        name: "omega"
        data_type: TYPE_FP32
        dims: [ 1 ]
        reshape { shape: [ ] }
      },
      {
        name: "t_max"
        data_type: TYPE_FP32
        dims: [ 1 ]
        reshape { shape: [ ] }
      },
      {
        name: "t_min"
        data_type: TYPE_FP32
        dims: [ 1 ]
        reshape { shape: [ ] }
      },
      {
        name: "noise"
        data_type: TYPE_FP32
        dims: [ 1, 64 ]
      }
    ]
    output [
      {
        name: "samples"
        data_type: TYPE_FP32
        dims: [ 1, 64 ]
      }
    ]
    "
  `);
});

it.each([
  [['--solver', 'dormand-prince'], 'chooses its steps'],
  [['--out', 'sampler.bin'], 'must end in .onnx'],
  [['--guidance-inputs'], 'samples without guidance'],
  [['--triton', 'a', '--out', 'b.onnx'], 'not both'],
  [['--triton', 'a', '--name', '../up'], 'cannot name a model'],
  [['--name', 'x'], 'give --triton too'],
])('%j is refused', async (args, message) => {
  const { status, err } = await meanflow('export', folder.path('points'), ...args);
  expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining(message) });
});
