/** Tables that are read piece by piece: the same as at once, wherever the pieces end. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { RandomKey } from '@meanflow/core';
import { parseTable, TableReader, type Table } from '../../src/index.js';
import { readTable } from '../../src/node.js';

const file = 'points.csv';
/** More rows than decide, with a cell of two lines, a comment and line ends of two characters. */
const rows = Array.from(
  { length: 3000 },
  (_, i) => `${i / 8},"a ""quoted""\nlabel ${i % 3}",${(i * i) % 977}`,
);
const text = `# made by us\r\nx,"la\r\nbel",y\r\n${rows.join('\r\n')}\r\n# the end\r\n`;
const label = 'la\nbel';
const whole = parseTable(text, { file, label });

let folder = '';
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'meanflow-tables-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const facts = ({ file: _, reading: __, ...table }: Table): object => table;

it('reads pieces of any length', () => {
  expect(whole).toMatchObject({ columns: ['x', 'y'], rowCount: 3000 });
  expect(whole.classNames).toEqual([0, 1, 2].map((i) => `a "quoted"\nlabel ${i}`));
  for (let seed = 0; seed < 5; seed++) {
    const reader = new TableReader({ file, label });
    const lengths = RandomKey.fromSeed(seed).uniform([text.length]).data;
    for (let at = 0, i = 0; at < text.length; i++) {
      const end = at + 1 + Math.floor(lengths[i] ** 4 * 5000);
      reader.push(text.slice(at, end), false);
      at = end;
    }
    reader.push('', true);
    expect(facts(reader.finish())).toEqual(facts(whole));
  }
});

it.each(['plain', 'compressed', 'utf-16'])('reads a file of text that is %s in pieces as it does at once', async (kind) => {
  const path = join(folder, `${kind}.csv`);
  const utf16 = new Uint8Array(new Uint16Array([0xfeff, ...[...text].map((c) => c.charCodeAt(0))]).buffer);
  await writeFile(path, kind === 'plain' ? text : kind === 'compressed' ? gzipSync(text) : utf16);
  const streamed = await readTable(path, { label, streamFrom: 1 });
  const atOnce = await readTable(path, { label });
  expect(streamed).toEqual(atOnce);
  expect(streamed.values).toEqual(whole.values);
  expect(streamed.reading?.encoding).toBe(kind === 'utf-16' ? 'utf-16le' : 'utf-8');
}); // prettier-ignore

it('names what is wrong in a file that is read in pieces', async () => {
  const write = async (name: string, content: Uint8Array | string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const open = (path: string): Promise<Table> => readTable(path, { label, streamFrom: 1 });
  const cut = await write('cut.csv.gz', gzipSync(text).subarray(0, 300));
  await expect(open(cut)).rejects.toThrow('the gzip data is damaged or cut short');
  const late = await write('late.csv', `${text}1,"b"\n`);
  await expect(open(late)).rejects.toThrow(/row 6005 has 2 columns, expected 3 as in row 2/);
  const unclosed = await write('unclosed.csv', `${text}1,"b,3\n4,b,5\n`);
  await expect(open(unclosed)).rejects.toThrow(
    'row 6005: found a quoted cell that is malformed or not closed',
  );
  const bytes = await write('bytes.csv', Buffer.concat([Buffer.from(text.repeat(20)), Buffer.of(0xff)]));
  await expect(open(bytes)).rejects.toThrow('found bytes that are not UTF-8');
  await expect(open(join(folder, 'none.csv'))).rejects.toThrow('there is no such file');
  await expect(open(folder)).rejects.toThrow('it is a folder, expected a CSV file');
});

const onUnix = process.platform === 'win32' ? it.skip : it;

onUnix('neither waits for a pipe nor reads a device for ever', async () => {
  const pipe = join(folder, 'pipe.csv');
  execFileSync('mkfifo', [pipe]);
  for (const path of [pipe, '/dev/zero']) {
    await expect(readTable(path)).rejects.toThrow(
      `${path}: it is a pipe, a socket or a device, and data are read more than once: save it as a file, expected a CSV file.`,
    );
  }
});
