/**
 * What comes from elsewhere and is damaged, or made to do damage: an error that says what is wrong, nothing run, nothing
 * written, not even in part, and no more memory than any small file takes.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { sizeOf, hostArray } from '@meanflow/core';
import { encodeSafetensors } from '@meanflow/formats';
import { publishedParameters } from '@meanflow/models/published';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { callingPickle, npy, safetensors, zip } from './support/damaged.js';
import { start } from './support/process.js';
import { networks, writeNetwork } from './support/published.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const network = networks.dit;
const marker = (): string => folder.path('executed');
const metadata = { format: 'meanflow-model', model: '{}' };

beforeAll(async () => {
  await writeJson(folder.path('config.json'), network);
  await writeJson(folder.path('wider.json'), { ...network, width: 16 });
  await writeNetwork(folder.path('published'), network);
  await succeed(
    ...['import', folder.path('published'), '--config', folder.path('config.json')],
    ...['--out', folder.path('model.safetensors')],
  );
  const model = await readFile(folder.path('model.safetensors'));
  await writeFile(folder.path('truncated.safetensors'), model.subarray(0, model.length - 100));
  await writeFile(folder.path('beheaded.safetensors'), model.subarray(0, 20));
  const damaged = Buffer.from(model);
  damaged.writeBigUInt64LE(2n ** 60n);
  await writeFile(folder.path('endless.safetensors'), damaged);
  const entry = (shape: number[], end: number) => ({
    __metadata__: metadata,
    'params/w': { dtype: 'F32', shape, data_offsets: [0, end] },
  });
  await writeFile(folder.path('huge.safetensors'), safetensors(entry([2 ** 40], 2 ** 42)));
  await writeFile(folder.path('lying.safetensors'), safetensors(entry([2 ** 20], 16)));
  await writeFile(folder.path('overflow.safetensors'), safetensors(entry([2 ** 30, 2 ** 30], 16)));
  const integers = publishedParameters(network).map(({ name, shape }) => [
    name,
    hostArray(new Int32Array(sizeOf(shape)), { shape, dtype: 'int32' }),
  ]);
  await writeFile(folder.path('integers'), encodeSafetensors(Object.fromEntries(integers) as never, {}));
  const command = callingPickle('posix', 'system', `touch ${marker()}`);
  await writeFile(folder.path('calls.pth'), zip({ 'archive/data.pkl': command, 'archive/version': Buffer.from('3\n') })); // prettier-ignore
  const evaluating = callingPickle('builtins', 'eval', `require("fs").writeFileSync("${marker()}", "")`);
  await writeFile(folder.path('evaluates.pth'), zip({ 'archive/data.pkl': evaluating }));
  await writeFile(folder.path('bomb.pth'), zip({ 'archive/data.pkl': { content: Buffer.alloc(2 ** 20) } }));
  // Half a gigabyte of zeros in half a megabyte, which claims to be as long as it should.
  const arrays = publishedParameters(network).map(({ name, shape }, i) => {
    const bytes = 4 * sizeOf(shape);
    const content = npy(shape, i === 0 ? 2 ** 29 : bytes);
    return [`${name}.npy`, { content, size: content.length - (i === 0 ? 2 ** 29 - bytes : 0) }];
  });
  await writeFile(folder.path('bomb.npz'), zip(Object.fromEntries(arrays) as never));
  await writeFile(folder.path('taken'), 'a regular file');
  await mkdir(folder.path('occupied.safetensors'));
});

const config = (): string => folder.path('config.json');

/** Everything in the folder, but for what is asked for by name. */
const files = async (): Promise<string[]> => (await readdir(folder.path())).sort();

test.each<[string, readonly string[], number, RegExp]>([
  ['a truncated file', ['truncated.safetensors'], 1, /truncated\.safetensors" .*(bytes|ends)/],
  ['less than a header', ['beheaded.safetensors'], 1, /beheaded\.safetensors".*header/],
  ['a header of 2⁶⁰ bytes', ['endless.safetensors'], 1, /endless\.safetensors" has no format that is known/],
  ['a tensor beyond the end', ['huge.safetensors'], 1, /its tensors end at byte 4398046511253: the file is truncated/],
  ['a shape that its bytes cannot hold', ['lying.safetensors'], 1, /params\/w/],
  ['a shape that no number can hold', ['overflow.safetensors'], 1, /params\/w/],
  ['a pickle that calls os.system', ['calls.pth'], 1, /posix\.system/],
  ['a pickle that evaluates', ['evaluates.pth'], 1, /builtins\.eval/],
  ['a pickle that is a bomb', ['bomb.pth'], 1, /is compressed; it should be stored as it is/],
  ['a zip bomb', ['bomb.npz'], 1, /bomb\.npz/],
  ['integers for weights', ['integers'], 1, /I32; weights are floats/],
  ['a checkpoint of another size', ['published', 'wider.json'], 1, /are not those of a network of this configuration: .*expected \[/],
  ['a file below a file', ['published', 'config.json', 'taken/model.safetensors'], 1, /cannot be written: part of the path is a file/],
  ['a folder in its place', ['published', 'config.json', 'occupied.safetensors'], 1, /cannot be written: it is a directory/],
  ['itself in its place', ['published', 'config.json', 'published'], 2, /is the checkpoint itself/],
])('import: %s', async (_, [source, use = 'config.json', out = 'out.safetensors'], status, message) => {
  const before = await files();
  const args = [folder.path(source), '--config', folder.path(use), '--out', folder.path(...out.split('/'))];
  const outcome = await meanflow('import', ...args);
  expect(outcome.err).toMatch(message);
  expect(outcome.err).not.toMatch(/\n +at /);
  expect(outcome).toMatchObject({ status, out: '' });
  expect(await files()).toEqual(before);
  expect(existsSync(marker())).toBe(false);
}); // prettier-ignore

test('import: a published model that it is not says where it differs', async () => {
  const outcome = await meanflow('import', folder.path('published'), '--model', 'imf-dit-b-2');
  expect(outcome.err).toMatch(/are not those of "imf-dit-b-2": .* is F32\[8\], expected \[768\]/);
  expect(outcome.status).toBe(1);
});

test('import: what was there before a failure is there after it', async () => {
  const out = folder.path('kept.safetensors');
  await writeFile(out, 'what was there');
  const weights = publishedParameters(network).map(({ name, shape }, i) => {
    const data = new Float32Array(sizeOf(shape));
    // The last one is found out while the file is being written.
    if (i === 0) data[0] = NaN;
    return [name, hostArray(data, { shape })];
  });
  await writeFile(folder.path('infinite'), encodeSafetensors(Object.fromEntries(weights) as never, {}));
  const outcome = await meanflow(
    'import',
    folder.path('infinite'),
    '--config',
    config(),
    '--out',
    out,
    '--force',
  );
  expect(outcome.err).toMatch(/holds NaN at element 0; weights are finite/);
  expect(outcome.status).toBe(1);
  expect(await readFile(out, 'utf8')).toBe('what was there');
  expect((await files()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test.each(['sample', 'export', 'info'])('%s: a damaged model file', async (command) => {
  const before = await files();
  const out = command === 'export' ? ['--out', folder.path('out.onnx')] : command === 'sample' ? ['--out', folder.path('out.csv')] : []; // prettier-ignore
  for (const name of ['truncated', 'beheaded', 'endless', 'huge', 'lying', 'overflow']) {
    const outcome = await meanflow(command, folder.path(`${name}.safetensors`), ...out);
    expect(outcome.err).toContain(`${name}.safetensors"`);
    expect(outcome.err).not.toMatch(/\n +at /);
    expect(outcome).toMatchObject({ status: 1, out: '' });
  }
  expect(await files()).toEqual(before);
});

/** Prints the most memory that a process had, in kilobytes, when it ends. */
const meter = 'process.on("exit",()=>process.stderr.write("\\npeak "+process.resourceUsage().maxRSS+"\\n"))';

async function peakMegabytes(...args: string[]): Promise<{ status: number; err: string; peak: number }> {
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(meter)}`;
  const { status, err } = await start(args, { NODE_OPTIONS }).end;
  return { status, err, peak: Number(/\npeak (\d+)\n/.exec(err)?.[1]) / 1024 };
}

test('memory: a bomb of half a gigabyte and a tensor of four terabytes take what a text takes', async () => {
  const of = (name: string) =>
    peakMegabytes('import', folder.path(name), '--config', config(), '--out', folder.path('out'));
  const plain = await of('taken');
  expect(plain.err).toContain('is text, not a checkpoint');
  for (const name of ['bomb.npz', 'huge.safetensors']) {
    const { status, peak } = await of(name);
    expect(status).toBe(1);
    expect(peak).toBeLessThan(plain.peak + 100);
  }
}, 120_000);
